package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.Reason;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.MigrationRun;
import net.coderanger.migrations.api.v1beta1.MigratorStatus;

/**
 * Decides what is to be done about one Migrator: from observed state to a decision, without any
 * input or output. Whatever changes the current run is written first and acted upon at the next
 * look, so that a crash between the two loses nothing.
 */
public final class Decider {
  private static final Duration FIRST_DELAY = Duration.ofSeconds(10);
  private static final Duration LONGEST_DELAY = Duration.ofMinutes(6);
  private static final Duration AT_ONCE = Duration.ZERO;
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(2);

  private final Observed seen;
  private final Intent intent;
  private final Draft draft;
  private final Survey survey;
  private final List<Effect> effects = new ArrayList<>();
  private Optional<Duration> again = Optional.empty();

  private Decider(Observed seen) {
    this.seen = seen;
    intent = seen.intent();
    draft = new Draft(intent, seen.status(), seen.now());
    survey = Survey.of(seen);
  }

  /** Decides. Deterministic, and idempotent: what was written and done is not decided again. */
  public static Decision decide(Observed seen) {
    return new Decider(seen).decide();
  }

  private Decision decide() {
    if (Original.wrote(draft.status())) {
      draft.adopt(Original.successes(intent, survey, draft.status().getLastSuccessfulMigration()));
    }
    if (draft.current().isEmpty()) {
      orphan().ifPresent(draft::adopt);
    }
    var standing =
        draft.current().isPresent() ? pursue(draft.current().get()) : choose(draft.memory());
    keepHouse();
    var used =
        survey.candidates().stream().map(Survey.Candidate::image).collect(Collectors.toSet());
    draft.forgetAllBut(used);
    if (!used.isEmpty()) {
      draft.forgiveAllBut(used::contains);
    }
    draft.conclude(standing, survey.waiting(intent.name()));
    return new Decision(draft.status(), List.copyOf(effects), again);
  }

  // ---- a run is under way -------------------------------------------------------------------

  private Standing pursue(MigrationRun run) {
    return run.getJob() == null ? betweenAttempts(run) : attempt(run);
  }

  private Standing attempt(MigrationRun run) {
    var job = seen.job(run.getJob());
    var refusal = seen.refusals().getOrDefault(run.getJob(), "");
    return switch (AttemptOutcome.of(job, seen.podsOf(run.getJob()), refusal)) {
      case AttemptOutcome.Succeeded _ -> succeeded(run);
      case AttemptOutcome.Failed(var message, _) -> failed(run, message);
      case AttemptOutcome.Disrupted(var message) -> disrupted(run, message);
      case AttemptOutcome.Running(var pod) -> {
        guard();
        yield Standing.reconciling(
            Reason.MigrationsRunning,
            "Migrating image %s: pod %s of Job %s runs (attempt %d)"
                .formatted(run.getImage(), pod, run.getJob(), run.getAttempt()));
      }
      case AttemptOutcome.NotStarted(var problem) -> notStarted(run, job, problem);
    };
  }

  private Standing succeeded(MigrationRun run) {
    again = Optional.of(AT_ONCE);
    if (!intent.specHash().equals(run.getSpecHash())) {
      draft.retryAfresh(copyWithoutJob(run));
      return Standing.reconciling(
          Reason.MigrationsRetrying,
          "Image %s was migrated with a spec that has changed meanwhile; it runs again"
              .formatted(run.getImage()));
    }
    draft.succeed(run);
    var message =
        "Migrated image %s with Job %s (attempt %d)"
            .formatted(run.getImage(), run.getJob(), run.getAttempt());
    tell(false, Reason.MigrationsSucceeded, message, Optional.empty());
    return nothingRuns(draft.memory())
        .orElseGet(() -> Standing.reconciling(Reason.MigrationsQueued, message));
  }

  private Standing failed(MigrationRun run, String cause) {
    var failures = Objects.requireNonNullElse(run.getFailedAttempts(), 0) + 1;
    if (failures > intent.backoffLimit()) {
      var message =
          "Migration of image %s failed for good after %d attempt%s; Job %s: %s. Fix it by a new image, a changed spec, or a new value of the annotation run-requested"
              .formatted(run.getImage(), failures, failures == 1 ? "" : "s", run.getJob(), cause);
      draft.failForGood(run, failures, cause);
      tell(true, Reason.MigrationsFailed, message, Optional.empty());
      lenderOf(run)
          .ifPresent(
              lender ->
                  tell(
                      true,
                      Reason.MigrationsFailed,
                      "Pods wait for Migrator %s: %s".formatted(intent.name(), message),
                      Optional.of(lender.template().workload())));
      again = Optional.of(AT_ONCE);
      return Standing.stalled(Reason.MigrationsFailed, message);
    }
    var delay = delay(failures);
    var message =
        "Attempt %d of image %s failed (%d of %d allowed failures); Job %s: %s"
            .formatted(
                run.getAttempt(),
                run.getImage(),
                failures,
                intent.backoffLimit() + 1,
                run.getJob(),
                cause);
    draft.retry(run, failures, delay, message);
    tell(true, Reason.MigrationsRetrying, message, Optional.empty());
    again = Optional.of(delay);
    return retrying(draft.current().orElseThrow());
  }

  private Standing disrupted(MigrationRun run, String cause) {
    var message =
        "Attempt %d of image %s was disrupted, which does not count as a failure; Job %s: %s"
            .formatted(run.getAttempt(), run.getImage(), run.getJob(), cause);
    draft.retry(run, Objects.requireNonNullElse(run.getFailedAttempts(), 0), FIRST_DELAY, message);
    tell(true, Reason.MigrationsRetrying, message, Optional.empty());
    again = Optional.of(FIRST_DELAY);
    return retrying(draft.current().orElseThrow());
  }

  /** 10 s, 20 s, … 6 min, as the Job controller backs off. */
  private static Duration delay(int failures) {
    var factor = 1L << Math.min(failures - 1, 20);
    var delay = FIRST_DELAY.multipliedBy(factor);
    return delay.compareTo(LONGEST_DELAY) > 0 ? LONGEST_DELAY : delay;
  }

  private Standing notStarted(MigrationRun run, Optional<JobView> job, String problem) {
    if (intent.deleting()) {
      return abandon(run, job, "the Migrator is being deleted");
    }
    var replacement = replacement(run);
    if (replacement.isPresent()) {
      return abandon(run, job, replacement.get());
    }
    guard();
    if (job.isPresent() && job.get().suspended()) {
      effects.add(new Effect.Unsuspend(job.get().name(), job.get().uid()));
    }
    // A refusal to make the pod is told by events alone.
    again = Optional.of(LOOK_AGAIN);
    return Standing.reconciling(
        Reason.MigrationsRunning,
        problem.isEmpty()
            ? "Migrating image %s: Job %s starts (attempt %d)"
                .formatted(run.getImage(), run.getJob(), run.getAttempt())
            : "The migration of image %s cannot start: %s (Job %s)"
                .formatted(run.getImage(), problem, run.getJob()));
  }

  /** Why an attempt that has not started is to be replaced, if it is. */
  private Optional<String> replacement(MigrationRun run) {
    if (!intent.specHash().equals(run.getSpecHash())) {
      return Optional.of("the spec has changed");
    }
    var lender = survey.lender(run.getImage());
    if (lender.isPresent() && survey.isNewest(lender.get())) {
      return lender.get().template().id().equals(run.getTemplate())
          ? Optional.empty()
          : Optional.of("the template is now that of " + lender.get().template().id());
    }
    return others(run).findFirst().map(next -> "image " + next.image() + " is wanted instead");
  }

  private Stream<Wanted> others(MigrationRun run) {
    return Wanted.of(intent, draft.memory(), survey).stream()
        .filter(wanted -> !wanted.image().equals(run.getImage()));
  }

  private Standing abandon(MigrationRun run, Optional<JobView> job, String why) {
    var message =
        "Job %s of image %s had not started and is given up: %s"
            .formatted(run.getJob(), run.getImage(), why);
    draft.supersede(run, message);
    job.ifPresent(found -> effects.add(new Effect.Delete(found.name(), found.uid())));
    tell(false, Reason.MigrationsQueued, message, Optional.empty());
    again = Optional.of(AT_ONCE);
    return Standing.reconciling(Reason.MigrationsQueued, message);
  }

  private Standing betweenAttempts(MigrationRun run) {
    var lender = lenderOf(run);
    if (intent.deleting() || lender.isEmpty()) {
      var message =
          "The migration of image %s is given up: %s"
              .formatted(
                  run.getImage(),
                  intent.deleting() ? "the Migrator is being deleted" : "no pod wants it any more");
      draft.supersede(run, message);
      again = Optional.of(AT_ONCE);
      return Standing.reconciling(Reason.MigrationsQueued, message);
    }
    if (!survey.isNewest(lender.get()) && others(run).findAny().isPresent()) {
      var message =
          "The migration of image %s is given up for a newer image".formatted(run.getImage());
      draft.supersede(run, message);
      again = Optional.of(AT_ONCE);
      return Standing.reconciling(Reason.MigrationsQueued, message);
    }
    if (isChanged(run, lender.get().template())) {
      draft.retryAfresh(run);
      again = Optional.of(AT_ONCE);
      return retrying(draft.current().orElseThrow());
    }
    var due = run.getNextRetryTime() == null ? seen.now() : run.getNextRetryTime().toInstant();
    if (seen.now().isBefore(due)) {
      again = Optional.of(Duration.between(seen.now(), due));
      return retrying(run);
    }
    return start(run.getImage(), lender.get().template());
  }

  private boolean isChanged(MigrationRun run, Template template) {
    var changed =
        !Objects.equals(run.getObservedGeneration(), intent.generation())
            || !Objects.requireNonNullElse(run.getRunRequest(), "").equals(intent.runRequest());
    // A fresh retry keeps the template's name until the attempt: it must not be reset for ever.
    return changed
        || (!template.id().equals(run.getTemplate())
            && Objects.requireNonNullElse(run.getFailedAttempts(), 0) > 0);
  }

  private static Standing retrying(MigrationRun run) {
    return Standing.reconciling(
        Reason.MigrationsRetrying,
        "%s. The next attempt starts at %s"
            .formatted(
                Objects.requireNonNullElse(run.getMessage(), "The migration is tried again"),
                run.getNextRetryTime()));
  }

  private Optional<Survey.Candidate> lenderOf(MigrationRun run) {
    return survey.lender(run.getImage());
  }

  private static MigrationRun copyWithoutJob(MigrationRun run) {
    return new MigrationRun()
        .image(run.getImage())
        .migrationImage(run.getMigrationImage())
        .template(run.getTemplate())
        .specHash(run.getSpecHash())
        .startTime(run.getStartTime())
        .attempt(run.getAttempt());
  }

  // ---- no run is under way ------------------------------------------------------------------

  private Standing choose(Memory memory) {
    if (intent.deleting()) {
      unguard();
      return Standing.reconciling(Reason.MigrationsUpToDate, "The Migrator is being deleted");
    }
    var halted = nothingRuns(memory);
    if (halted.isPresent()) {
      if (!mayStillWork()) {
        unguard();
      }
      return halted.get();
    }
    var next = next(memory).orElseThrow();
    return start(next.image(), next.template());
  }

  /** How the Migrator stands if it does not have to start a run; empty if it has. */
  private Optional<Standing> nothingRuns(Memory memory) {
    if (intent.error().isPresent()) {
      return Optional.of(
          Standing.stalled(
              Reason.InvalidSpec, "%s; correct the Migrator".formatted(intent.error().get())));
    }
    var next = next(memory);
    if (next.isPresent()) {
      return intent.suspend()
          ? Optional.of(
              Standing.reconciling(
                  Reason.MigrationsSuspended,
                  "Image %s waits to be migrated; set spec.suspend to false"
                      .formatted(next.get().image())))
          : Optional.empty();
    }
    return Optional.of(idle(memory));
  }

  private Standing idle(Memory memory) {
    var failed =
        Wanted.of(intent, memory, survey).stream()
            .flatMap(wanted -> memory.failure(wanted.image()).stream())
            .findFirst();
    if (failed.isPresent()) {
      var failure = failed.get();
      return Standing.stalled(
          Reason.MigrationsFailed,
          "Migration of image %s failed for good after %d attempts; Job %s: %s. Fix it by a new image, a changed spec, or a new value of the annotation run-requested"
              .formatted(
                  failure.getImage(),
                  failure.getFailedAttempts(),
                  failure.getJob(),
                  failure.getMessage()));
    }
    if (survey.targets().isEmpty()) {
      return Standing.settled(
          Reason.NoPods,
          intent.spec().getSelector() == null
              ? "spec.selector is absent and so selects no pod"
              : "No pod matches spec.selector");
    }
    if (!survey.containerMissing().isEmpty() && survey.candidates().isEmpty()) {
      var template = survey.containerMissing().getFirst().template();
      return Standing.stalled(
          Reason.NoTemplateContainer,
          "no template container found: %s has no container %s; correct spec.container"
              .formatted(template.id(), intent.container().orElse("")));
    }
    if (survey.candidates().isEmpty()) {
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

  private record Next(String image, Template template) {}

  private Optional<Next> next(Memory memory) {
    for (var wanted : Wanted.of(intent, memory, survey)) {
      var template = wanted.lender().template();
      if (memory.isRunRequested() || !memory.isFailedForGood(wanted.image(), template)) {
        return Optional.of(new Next(wanted.image(), template));
      }
    }
    return memory.isRunRequested() ? rerun() : Optional.empty();
  }

  /** The present image, to be run again on request. */
  private Optional<Next> rerun() {
    return survey.candidates().stream()
        .filter(survey::isNewest)
        .map(Survey.Candidate::image)
        .distinct()
        .flatMap(image -> survey.lender(image).stream())
        .min(
            Comparator.<Survey.Candidate>comparingInt(lender -> lender.template().rank())
                .thenComparing(lender -> lender.template().created(), Comparator.reverseOrder())
                .thenComparing(Survey.Candidate::image))
        .map(lender -> new Next(lender.image(), lender.template()));
  }

  private Standing start(String image, Template template) {
    if (intent.suspend()) {
      return Standing.reconciling(
          Reason.MigrationsSuspended,
          "Image %s waits to be migrated; set spec.suspend to false".formatted(image));
    }
    if (intent.container().isPresent()
        && !template.images().containsKey(intent.container().get())) {
      return Standing.stalled(
          Reason.NoTemplateContainer,
          "no template container found: %s has no container %s; correct spec.container"
              .formatted(template.id(), intent.container().get()));
    }
    var obstacle = obstacle();
    if (obstacle.isPresent()) {
      again = Optional.of(LOOK_AGAIN);
      return Standing.reconciling(
          Reason.MigrationsQueued, "Image %s waits: %s".formatted(image, obstacle.get()));
    }
    guard();
    var serial =
        1 + seen.jobs().stream().mapToLong(JobView::serial).reduce(draft.attempts(), Math::max);
    var name = JobManifest.name(intent, image, serial);
    draft.begin(image, template, name, serial);
    var attempt = draft.current().orElseThrow().getAttempt();
    effects.add(new Effect.Start(name, JobManifest.of(intent, template, image, serial, "")));
    tell(
        false,
        Reason.MigrationsStarted,
        "Started Job %s for image %s with the template of %s (attempt %d)"
            .formatted(name, image, template.id(), attempt),
        Optional.empty());
    return Standing.reconciling(
        Reason.MigrationsRunning,
        "Migrating image %s: Job %s starts (attempt %d)".formatted(image, name, attempt));
  }

  // ---- Jobs and pods that the status does not name ----------------------------------------------

  /** A Job of ours that works although the status does not name it: the status was lost. */
  private Optional<JobView> orphan() {
    return seen.jobs().stream()
        .filter(job -> job.ownerUid().equals(intent.uid()))
        .filter(job -> !job.suspended() && !job.deleting() && !isOver(job))
        .max(Comparator.comparingLong(JobView::serial));
  }

  /** Why no attempt may start now, if so: two migrations must never run together. */
  private Optional<String> obstacle() {
    for (var job : seen.jobs()) {
      if (!isOver(job) || (job.suspended() && job.ended().isEmpty())) {
        if (job.suspended() && !job.deleting() && job.ownerUid().equals(intent.uid())) {
          effects.add(new Effect.Delete(job.name(), job.uid()));
        }
        return Optional.of("Job %s of an earlier attempt has not ended yet".formatted(job.name()));
      }
    }
    return seen.runPods().stream()
        .filter(pod -> !isOver(pod))
        .findFirst()
        .map(pod -> "pod %s of an earlier attempt has not ended yet".formatted(pod.name()));
  }

  private boolean mayStillWork() {
    return seen.jobs().stream().anyMatch(job -> job.ownerUid().equals(intent.uid()) && !isOver(job))
        || seen.runPods().stream().anyMatch(pod -> !isOver(pod));
  }

  private boolean isOver(JobView job) {
    return job.ended().isPresent() || seen.podsOf(job.name()).stream().anyMatch(pod -> isOver(pod));
  }

  /** Whether the migration container can no longer work; native sidecars may go on. */
  private static boolean isOver(PodView pod) {
    return pod.phase().equals("Succeeded")
        || pod.phase().equals("Failed")
        || pod.states().get(Vocabulary.MIGRATION_CONTAINER)
            instanceof PodView.ContainerState.Terminated;
  }

  private void keepHouse() {
    var current = draft.current().map(MigrationRun::getJob).orElse("");
    for (var complete : List.of(true, false)) {
      var limit = complete ? intent.successfulJobsHistoryLimit() : intent.failedJobsHistoryLimit();
      seen.jobs().stream()
          .filter(job -> job.ownerUid().equals(intent.uid()))
          .filter(job -> job.ended().isPresent() && job.complete() == complete)
          .filter(job -> !job.name().equals(current) && !job.deleting())
          .filter(job -> !isNamedByLastStatus(job))
          .sorted(Comparator.comparing((JobView job) -> job.ended().get()).reversed())
          .skip(limit)
          .forEach(job -> effects.add(new Effect.Delete(job.name(), job.uid())));
    }
  }

  // Its result is being recorded by this very decision: deleted only once that is written.
  private boolean isNamedByLastStatus(JobView job) {
    MigratorStatus last = seen.status();
    return last.getCurrent() != null && job.name().equals(last.getCurrent().getJob());
  }

  private void guard() {
    if (!intent.guarded() && !intent.deleting()) {
      effects.add(new Effect.Guard());
    }
  }

  private void unguard() {
    if (intent.guarded()) {
      effects.add(new Effect.Unguard());
    }
  }

  private void tell(
      boolean warning, Reason reason, String message, Optional<PodView.Owner> regarding) {
    effects.add(new Effect.Tell(warning, reason, message, regarding));
  }
}
