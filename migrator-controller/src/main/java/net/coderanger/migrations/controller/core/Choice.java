package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.Reason;
import net.coderanger.migrations.api.v1beta1.MigrationFailure;

/** No run is under way: whether one is to be started, and which. */
final class Choice {
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(2);

  private final Look look;
  private final Intent intent;
  private final Survey survey;
  private final Remains remains;
  private final Start start;

  Choice(Look look, Remains remains, Start start) {
    this.look = look;
    this.remains = remains;
    this.start = start;
    intent = look.intent;
    survey = look.survey;
  }

  Standing choose() {
    var halted = intent.deleting() ? Optional.of(deleting()) : standing();
    if (halted.isEmpty()) {
      var next = next().orElseThrow();
      return start.attempt(next.image(), next.template());
    }
    if (remains.working().isEmpty()) {
      look.unguard();
    }
    return halted.get();
  }

  private Standing deleting() {
    return Standing.reconciling(
        Reason.MigrationsUpToDate,
        remains
            .working()
            .map(job -> "The Migrator is being deleted once Job %s has ended".formatted(job.name()))
            .orElse("The Migrator is being deleted"));
  }

  /** How the Migrator stands if it does not have to start a run; empty if it has. */
  Optional<Standing> standing() {
    if (intent.error().isPresent()) {
      return Optional.of(
          Standing.stalled(
              Reason.InvalidSpec, "%s; correct the Migrator".formatted(intent.error().get())));
    }
    var next = next();
    if (next.isPresent()) {
      return next.filter(_ -> intent.suspend()).map(found -> start.suspended(found.image()));
    }
    return Optional.of(idle());
  }

  private Standing idle() {
    var memory = look.draft.memory();
    var failed =
        memory.failures().stream()
            .filter(failure -> look.newestLender(failure.getImage()).isPresent())
            .findFirst();
    if (failed.isPresent()) {
      return Standing.stalled(Reason.MigrationsFailed, failedForGood(failed.get()));
    }
    if (survey.targets().isEmpty()) {
      return Standing.settled(
          Reason.NoPods,
          intent.spec().getSelector() == null
              ? "spec.selector is absent and so selects no pod"
              : "No pod matches spec.selector");
    }
    if (!survey.unread().isEmpty()) {
      look.again(LOOK_AGAIN);
      return Standing.reconciling(
          Reason.MigrationsQueued,
          "The template of pod %s could not be read yet"
              .formatted(survey.unread().getFirst().name()));
    }
    var without = Ours.of(survey, memory).withoutContainer();
    if (without.isPresent()) {
      return Standing.stalled(
          Reason.NoTemplateContainer,
          "no template container found: %s has no container %s; correct spec.container"
              .formatted(without.get().template().id(), intent.container().orElse("")));
    }
    if (survey.candidates().isEmpty() && survey.containerMissing().isEmpty()) {
      return Standing.stalled(
          Reason.NoTemplatePods,
          "no template pods found: %d pods match spec.selector, none of them spec.templateSelector"
              .formatted(survey.targets().size()));
    }
    return Standing.settled(
        Reason.MigrationsUpToDate,
        "Nothing to migrate; the last migrated image is %s"
            .formatted(
                Objects.requireNonNullElse(
                    memory.status().getLastSuccessfulMigration(), "unknown")));
  }

  static String failedForGood(MigrationFailure failure) {
    return "Migration of image %s failed for good after %d attempt%s; Job %s: %s. Fix it by a new image, a changed spec, or a new value of the annotation run-requested"
        .formatted(
            failure.getImage(),
            failure.getFailedAttempts(),
            failure.getFailedAttempts() == 1 ? "" : "s",
            failure.getJob(),
            failure.getMessage());
  }

  private record Next(String image, Template template) {
    static Next with(Survey.Candidate lender) {
      return new Next(lender.image(), lender.template());
    }
  }

  private Optional<Next> next() {
    return look.startable().stream()
        .findFirst()
        .map(wanted -> Next.with(wanted.lender()))
        .or(look.draft.memory().isRunRequested() ? this::present : this::failedAgain);
  }

  /** The present image, to be run again on request. */
  private Optional<Next> present() {
    return survey.candidates().stream()
        .filter(survey::isNewest)
        .map(Survey.Candidate::image)
        .distinct()
        .flatMap(image -> survey.lender(image).stream())
        .min(
            Comparator.<Survey.Candidate>comparingInt(lender -> lender.template().rank())
                .thenComparing(lender -> lender.template().created(), Comparator.reverseOrder())
                .thenComparing(Survey.Candidate::image))
        .map(Next::with);
  }

  /** A migrated image whose requested re-run failed, and what it failed with has changed since. */
  private Optional<Next> failedAgain() {
    var memory = look.draft.memory();
    return memory.failures().stream()
        .filter(failure -> memory.isMigrated(failure.getImage()))
        .flatMap(failure -> look.newestLender(failure.getImage()).stream())
        .filter(lender -> !memory.isFailedForGood(lender.image(), lender.template()))
        .findFirst()
        .map(Next::with);
  }
}
