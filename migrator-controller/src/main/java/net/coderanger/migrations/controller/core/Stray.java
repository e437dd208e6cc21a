package net.coderanger.migrations.controller.core;

import module java.base;

/**
 * A pod that slipped past the injector: it has no waiter though its image was not migrated when it
 * was made. It cannot be held back any more; people must be told.
 *
 * @param message says what happened and how to keep it from happening again
 */
public record Stray(PodView pod, String message) {
  /**
   * How long before the Migrator a pod may have been made to count as installed with it: an older
   * one was there before anybody asked for a gate.
   */
  private static final Duration SAME_INSTALLATION = Duration.ofMinutes(1);

  static List<Stray> of(Intent intent, Memory memory, Survey survey) {
    return survey.candidates().stream()
        .filter(candidate -> !candidate.pod().isGated(intent.name()))
        .filter(candidate -> !memory.isMigrated(candidate.image()))
        .filter(
            candidate ->
                !candidate.pod().created().isBefore(intent.created().minus(SAME_INSTALLATION)))
        .map(candidate -> new Stray(candidate.pod(), message(intent, candidate)))
        .toList();
  }

  private static String message(Intent intent, Survey.Candidate candidate) {
    return "image %s was not migrated, yet this pod does not wait for Migrator %s: it was made before the Migrator, or while the injector could not be reached; annotate the template of %s with migrations.coderanger.net/required: \"true\", so that such a pod is refused"
        .formatted(candidate.image(), intent.name(), candidate.template().id());
  }
}
