package net.coderanger.migrations.controller.core;

import module java.base;

import com.google.gson.JsonObject;
import net.coderanger.migrations.api.Reason;

/** Something that the shell must do, after it has written the decision's status. */
public sealed interface Effect {
  /** Guard the Migrator, so that the garbage collector cannot kill the migration. */
  record Guard() implements Effect {}

  /** Take the guard off. */
  record Unguard() implements Effect {}

  /**
   * Start an attempt: look again live, create the Job suspended, write the status, unsuspend.
   *
   * @param image the pods' image that is to be migrated
   * @param job the Job as it is to be created, suspended
   */
  record Start(String jobName, String image, JsonObject job) implements Effect {}

  /** Let a Job that the status names begin. */
  record Unsuspend(String job, String uid) implements Effect {}

  /** Delete a Job in the foreground. */
  record Delete(String job, String uid) implements Effect {}

  /**
   * An event.
   *
   * @param regarding the object that it is about, empty for the Migrator itself
   */
  record Tell(boolean warning, Reason reason, String message, Optional<PodView.Owner> regarding)
      implements Effect {}
}
