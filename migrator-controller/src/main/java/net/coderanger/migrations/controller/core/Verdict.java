package net.coderanger.migrations.controller.core;

import module java.base;

import io.kubernetes.client.openapi.models.V1Condition;
import net.coderanger.migrations.api.Reason;
import net.coderanger.migrations.api.Vocabulary;
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
  String LEFT_ALONE = "LeftAlone";

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
    return new Judge(seen, Survey.of(seen), new Memory(intent, seen.status())).judge(pod);
  }

  private static Waiting stuck(String reason, String message) {
    return new Waiting(reason, message, "", 0, true);
  }

  /** The rules, with what they depend on. */
  record Judge(Observed seen, Survey survey, Memory memory) {
    Verdict judge(PodView pod) {
      var lends = seen.intent().templateSelector().test(pod.labels());
      var template = Optional.ofNullable(seen.templates().get(pod.uid()));
      if (lends && template.isEmpty()) {
        return waiting(
            Reason.MigrationsQueued,
            "the template of pod %s could not be read yet".formatted(pod.name()));
      }
      var candidate = template.map(found -> Survey.candidate(seen.intent(), pod, found));
      return lends && !candidate.get().image().isEmpty()
          ? candidate(candidate.get())
          : follower(pod, candidate);
    }

    /** A pod that may lend its template: its own image must have been migrated. */
    private Verdict candidate(Survey.Candidate candidate) {
      if (memory.isMigrated(candidate.image())) {
        return new Released();
      }
      if (candidate.pod().isExempt()) {
        // It counts as no target, so that nothing will migrate its image.
        return stuck(
            LEFT_ALONE,
            "this pod was annotated no-wait only after it had begun to wait; delete it: its"
                + " replacement starts without a migration");
      }
      var image = candidate.image();
      if (!survey.isNewest(candidate) && !isCurrent(image) && !isWanted(image)) {
        return stuck(
            SUPERSEDED,
            "image %s was never migrated and is superseded by %s; its controller will replace this pod; a StatefulSet with OrderedReady needs `kubectl delete pod %s`"
                .formatted(image, survey.newestOf(candidate).id(), candidate.pod().name()));
      }
      return untilMigrated(image);
    }

    /**
     * A pod outside templateSelector, or without the container that counts.
     *
     * @param self the pod with its own template, empty where that is not known
     */
    private Verdict follower(PodView pod, Optional<Survey.Candidate> self) {
      var image = imageOfFollower(pod, self.map(Survey.Candidate::template));
      if (memory.isMigrated(image)) {
        return new Released();
      }
      var ours = Ours.of(survey, memory);
      if (!ours.isKnown()) {
        return self.isPresent() && seen.intent().templateSelector().test(pod.labels())
            ? stuck(
                Reason.NoTemplateContainer.name(),
                "no template container found: %s has no container %s; correct spec.container of Migrator %s"
                    .formatted(
                        self.get().template().id(),
                        seen.intent().container().orElse(""),
                        seen.intent().name()))
            : stuck(
                Reason.NoTemplatePods.name(),
                "no template pods found: no pod that Migrator %s selects matches spec.templateSelector yet"
                    .formatted(seen.intent().name()));
      }
      // Without its template a mirror's spelling cannot be told from another repository.
      if (self.isPresent() ? ours.has(image) : ours.mayHave(image)) {
        return isCurrent(image) || isWanted(image) || memory.failure(image).isPresent()
            ? untilMigrated(image)
            : stuck(
                Reason.NoTemplatePods.name(),
                "image %s was not migrated, and no pod that spec.templateSelector of Migrator %s selects uses it: deploy those with it, or this pod with a migrated image"
                    .formatted(image, seen.intent().name()));
      }
      // Not this Migrator's code: it only has to keep out of the way of a migration.
      return others(image);
    }

    private String imageOfFollower(PodView pod, Optional<Template> template) {
      var container =
          seen.intent()
              .container()
              .or(this::firstContainerOfATemplate)
              .filter(name -> !pod.images().getOrDefault(name, "").isEmpty())
              .or(() -> template.map(own -> own.images().firstEntry()).map(Map.Entry::getKey))
              .or(() -> Optional.ofNullable(pod.images().firstEntry()).map(Map.Entry::getKey))
              .orElse("");
      var image = pod.images().getOrDefault(container, "");
      return template
          .map(own -> own.images().getOrDefault(container, ""))
          .filter(templated -> !templated.isEmpty())
          .map(templated -> Images.asTemplated(image, templated))
          .orElse(image);
    }

    private Verdict others(String image) {
      var run = seen.status().getCurrent();
      var wanted = Wanted.of(seen.intent(), memory, survey);
      if (run == null && wanted.isEmpty()) {
        return new Released();
      }
      var first = run == null ? wanted.getFirst().image() : run.getImage();
      var failed = run == null && memory.failure(first).isPresent();
      return new Waiting(
          (failed ? Reason.MigrationsFailed : Reason.MigrationsQueued).name(),
          "image %s is not of Migrator %s, but its selector selects this pod, which so waits until image %s has been migrated: %s"
              .formatted(image, seen.intent().name(), first, readyMessage()),
          "",
          0,
          failed);
    }

    private Optional<String> firstContainerOfATemplate() {
      return survey.candidates().stream()
          .map(candidate -> candidate.template().images())
          .filter(images -> !images.isEmpty())
          .map(images -> images.firstEntry().getKey())
          .findFirst();
    }

    private boolean isWanted(String image) {
      return Wanted.of(seen.intent(), memory, survey).stream()
          .anyMatch(wanted -> wanted.image().equals(image));
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
            "image %s waits for the migration of image %s: %s"
                .formatted(image, run.getImage(), readyMessage()));
      }
      if (seen.intent().suspend()) {
        return suspended(image);
      }
      return waiting(
          Reason.MigrationsQueued,
          "image %s waits to be migrated by Migrator %s%s"
              .formatted(image, seen.intent().name(), obstacle()));
    }

    /** What keeps the Migrator from starting, where its condition says so. */
    private String obstacle() {
      return ready()
          .filter(condition -> Reason.MigrationsQueued.name().equals(condition.getReason()))
          .map(condition -> ": " + condition.getMessage())
          .orElse("");
    }

    private Verdict suspended(String image) {
      return stuck(
          Reason.MigrationsSuspended.name(),
          "image %s waits to be migrated; set spec.suspend of Migrator %s to false"
              .formatted(image, seen.intent().name()));
    }

    private Verdict during(MigrationRun run) {
      if (run.getJob() == null && seen.intent().suspend()) {
        return suspended(run.getImage());
      }
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
      return ready().map(V1Condition::getMessage).orElse("");
    }

    private Optional<V1Condition> ready() {
      return Objects.requireNonNullElse(seen.status().getConditions(), List.<V1Condition>of())
          .stream()
          .filter(condition -> Vocabulary.CONDITION_READY.equals(condition.getType()))
          .findFirst();
    }

    private static Waiting waiting(Reason reason, String message) {
      return new Waiting(reason.name(), message, "", 0, false);
    }
  }
}
