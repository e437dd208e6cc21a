package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.Reason;
import net.coderanger.migrations.api.v1beta1.MigrationRun;

/** Whether a waiting pod may start, and if not, why not and what to do. */
public sealed interface Verdict {
  /** The pod may start. */
  record Released() implements Verdict {}

  /**
   * The pod has to wait.
   *
   * @param reason one word
   * @param message for people: the objects and the next step
   * @param job the Job that it waits for, empty if none
   * @param attempt number of the Job's attempt, 0 if none
   * @param stuck whether it will not pass by itself
   */
  record Waiting(String reason, String message, String job, int attempt, boolean stuck)
      implements Verdict {}

  /** Reasons that only a pod can have. */
  String DELETED = "MigratorDeleted";

  String NOT_SELECTED = "NotSelected";
  String SUPERSEDED = "Superseded";

  /** For a pod whose Migrator does not exist (any more). */
  static Verdict withoutMigrator(String migrator) {
    return stuck(
        DELETED,
        "Migrator %s does not exist; create it, or delete this pod: its replacement starts without a migration"
            .formatted(migrator));
  }

  /**
   * Judges one pod.
   *
   * @param pod as it is now: the images of waiting pods can be edited
   */
  static Verdict of(Observed seen, PodView pod) {
    var intent = seen.intent();
    if (intent.deleting()) {
      return stuck(
          DELETED,
          "Migrator %s is being deleted; create it again, or delete this pod: its replacement starts without a migration"
              .formatted(intent.name()));
    }
    if (intent.error().isPresent()) {
      return stuck(
          Reason.InvalidSpec.name(),
          "Migrator %s: %s; correct it".formatted(intent.name(), intent.error().get()));
    }
    if (!intent.selects(pod)) {
      return stuck(
          NOT_SELECTED,
          "Migrator %s no longer selects this pod; delete the pod: its replacement starts without a migration"
              .formatted(intent.name()));
    }
    var judge = new Judge(seen, Survey.of(seen), new Memory(intent, seen.status()));
    return judge
        .survey()
        .candidate(pod.uid())
        .map(judge::candidate)
        .orElseGet(() -> judge.follower(pod));
  }

  private static Waiting stuck(String reason, String message) {
    return new Waiting(reason, message, "", 0, true);
  }

  /** The rules, with what they depend on. */
  record Judge(Observed seen, Survey survey, Memory memory) {
    /** A pod that may lend its template: its own image must have been migrated. */
    Verdict candidate(Survey.Candidate candidate) {
      if (memory.isMigrated(candidate.image())) {
        return new Released();
      }
      if (!survey.isNewest(candidate) && !isCurrent(candidate.image())) {
        return stuck(
            SUPERSEDED,
            "image %s was never migrated and is superseded by %s; its controller will replace this pod; a StatefulSet with OrderedReady needs `kubectl delete pod %s`"
                .formatted(
                    candidate.image(), survey.newestOf(candidate).id(), candidate.pod().name()));
      }
      return untilMigrated(candidate.image());
    }

    /** A pod outside templateSelector, or one whose template cannot be read. */
    Verdict follower(PodView pod) {
      var intent = seen.intent();
      var image =
          intent
              .container()
              .or(() -> firstContainerOfATemplate())
              .map(name -> pod.images().getOrDefault(name, ""))
              .filter(found -> !found.isEmpty())
              .orElseGet(() -> pod.images().isEmpty() ? "" : pod.images().firstEntry().getValue());
      if (memory.isMigrated(image)) {
        return new Released();
      }
      var known =
          Stream.concat(
                  survey.candidates().stream().map(Survey.Candidate::image),
                  memory.images().stream().map(migrated -> migrated.getImage()))
              .map(Images::repository)
              .collect(Collectors.toSet());
      if (known.isEmpty()) {
        return waiting(
            Reason.NoTemplatePods,
            "no template pods found: no pod that Migrator %s selects matches spec.templateSelector yet"
                .formatted(intent.name()));
      }
      if (known.contains(Images.repository(image))) {
        return untilMigrated(image);
      }
      // Not this Migrator's code: it only has to keep out of the way of a migration.
      return isSettled() ? new Released() : untilMigrated(image);
    }

    private Optional<String> firstContainerOfATemplate() {
      return survey.candidates().stream()
          .map(candidate -> candidate.template().images())
          .filter(images -> !images.isEmpty())
          .map(images -> images.firstEntry().getKey())
          .findFirst();
    }

    private boolean isSettled() {
      return seen.status().getCurrent() == null
          && Wanted.of(seen.intent(), memory, survey).isEmpty();
    }

    private boolean isCurrent(String image) {
      var run = seen.status().getCurrent();
      return run != null && run.getImage().equals(image);
    }

    private Verdict untilMigrated(String image) {
      var run = seen.status().getCurrent();
      if (run != null && run.getImage().equals(image)) {
        return during(run);
      }
      var failure = memory.failure(image);
      if (failure.isPresent()) {
        return new Waiting(
            Reason.MigrationsFailed.name(),
            "the migration of image %s failed for good; Job %s: %s. Fix it by a new image, a changed Migrator, or `kubectl annotate migrator %s migrations.coderanger.net/run-requested=<new value> --overwrite`"
                .formatted(
                    image,
                    failure.get().getJob(),
                    failure.get().getMessage(),
                    seen.intent().name()),
            Objects.requireNonNullElse(failure.get().getJob(), ""),
            0,
            true);
      }
      if (run != null) {
        return waiting(
            Reason.MigrationsQueued,
            "image %s waits for the migration of image %s (Job %s)"
                .formatted(image, run.getImage(), run.getJob()));
      }
      if (seen.intent().suspend()) {
        return stuck(
            Reason.MigrationsSuspended.name(),
            "image %s waits to be migrated; set spec.suspend of Migrator %s to false"
                .formatted(image, seen.intent().name()));
      }
      return waiting(
          Reason.MigrationsQueued,
          "image %s waits to be migrated by Migrator %s".formatted(image, seen.intent().name()));
    }

    private Verdict during(MigrationRun run) {
      var job = Objects.requireNonNullElse(run.getJob(), "");
      var attempt = Objects.requireNonNullElse(run.getAttempt(), 0);
      return new Waiting(
          job.isEmpty() ? Reason.MigrationsRetrying.name() : Reason.MigrationsRunning.name(),
          readyMessage(),
          job,
          attempt,
          false);
    }

    private String readyMessage() {
      return Objects.requireNonNullElse(
              seen.status().getConditions(),
              List.<io.kubernetes.client.openapi.models.V1Condition>of())
          .stream()
          .filter(condition -> "Ready".equals(condition.getType()))
          .map(condition -> Objects.requireNonNullElse(condition.getMessage(), ""))
          .findFirst()
          .orElse("");
    }

    private static Waiting waiting(Reason reason, String message) {
      return new Waiting(reason.name(), message, "", 0, false);
    }
  }
}
