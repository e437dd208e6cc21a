package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.Reason;
import net.coderanger.migrations.api.v1beta1.MigrationRun;

/** A run is under way: how its attempt goes, and what comes of that. */
final class Pursuit {
  private static final Duration FIRST_DELAY = Duration.ofSeconds(10);
  private static final Duration LONGEST_DELAY = Duration.ofMinutes(6);
  private static final Duration AT_ONCE = Duration.ZERO;
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(2);

  /** How long what keeps an attempt from starting may pass by itself. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Look look;
  private final Observed seen;
  private final Intent intent;
  private final Draft draft;
  private final Start start;
  private final Choice choice;

  Pursuit(Look look, Start start, Choice choice) {
    this.look = look;
    this.start = start;
    this.choice = choice;
    seen = look.seen;
    intent = look.intent;
    draft = look.draft;
  }

  Standing pursue(MigrationRun run) {
    return run.getJob() == null ? betweenAttempts(run) : attempt(run);
  }

  private Standing attempt(MigrationRun run) {
    var job = seen.job(run.getJob());
    var events = seen.refusals().getOrDefault(run.getJob(), "");
    return switch (AttemptOutcome.of(job, seen.podsOf(run.getJob()), events)) {
      case AttemptOutcome.Succeeded _ -> succeeded(run);
      case AttemptOutcome.Failed(var message, _) -> failed(run, message);
      case AttemptOutcome.Disrupted(var message) -> disrupted(run, message);
      case AttemptOutcome.Running(var pod) -> {
        look.guard();
        yield Standing.reconciling(
            Reason.MigrationsRunning,
            "Migrating image %s: pod %s of Job %s runs (attempt %d)%s"
                .formatted(run.getImage(), pod, run.getJob(), run.getAttempt(), remark(run)));
      }
      case AttemptOutcome.NotStarted(var problem) -> notStarted(run, job, problem);
    };
  }

  // ---- ended --------------------------------------------------------------------------------

  private Standing succeeded(MigrationRun run) {
    look.again(AT_ONCE);
    if (!intent.specHash().equals(run.getSpecHash())) {
      draft.repeat(
          run,
          "Image %s was migrated with a spec that has changed meanwhile".formatted(run.getImage()));
      return retrying(draft.current().orElseThrow());
    }
    draft.succeed(run);
    var message =
        "Migrated image %s with Job %s (attempt %d)"
            .formatted(run.getImage(), run.getJob(), run.getAttempt());
    look.tell(false, Reason.MigrationsSucceeded, message);
    return intent.deleting()
        ? Standing.reconciling(Reason.MigrationsUpToDate, "The Migrator is being deleted")
        : choice.standing().orElseGet(() -> Standing.reconciling(Reason.MigrationsQueued, message));
  }

  private Standing failed(MigrationRun run, String cause) {
    var failures = failures(run) + 1;
    if (failures > intent.backoffLimit()) {
      draft.failForGood(run, failures, cause);
      var message = Choice.failedForGood(draft.memory().failure(run.getImage()).orElseThrow());
      look.tell(true, Reason.MigrationsFailed, message);
      for (var workload : look.survey.workloads(run.getImage())) {
        look.tell(
            true,
            Reason.MigrationsFailed,
            "Pods wait for Migrator %s: %s".formatted(intent.name(), message),
            workload);
      }
      look.again(AT_ONCE);
      return Standing.stalled(Reason.MigrationsFailed, message);
    }
    return retry(
        run,
        failures,
        delay(failures),
        "Attempt %d of image %s failed (%d of %d allowed failures); Job %s: %s"
            .formatted(
                run.getAttempt(),
                run.getImage(),
                failures,
                intent.backoffLimit() + 1,
                run.getJob(),
                cause));
  }

  private Standing disrupted(MigrationRun run, String cause) {
    if (seen.podsOf(run.getJob()).isEmpty()) {
      look.confirm(); // a cache that is behind has not seen the Job or its pod yet
    }
    return retry(
        run,
        failures(run),
        FIRST_DELAY,
        "Attempt %d of image %s was disrupted, which does not count as a failure; Job %s: %s"
            .formatted(run.getAttempt(), run.getImage(), run.getJob(), cause));
  }

  private Standing retry(MigrationRun run, int failures, Duration delay, String message) {
    draft.retry(run, failures, delay, message);
    look.tell(true, Reason.MigrationsRetrying, message);
    look.again(delay);
    return retrying(draft.current().orElseThrow());
  }

  /** 10 s, 20 s, … 6 min, as the Job controller backs off. */
  private static Duration delay(int failures) {
    var factor = 1L << Math.min(failures - 1, 20);
    var delay = FIRST_DELAY.multipliedBy(factor);
    return delay.compareTo(LONGEST_DELAY) > 0 ? LONGEST_DELAY : delay;
  }

  private static int failures(MigrationRun run) {
    return Objects.requireNonNullElse(run.getFailedAttempts(), 0);
  }

  // ---- not started --------------------------------------------------------------------------

  private Standing notStarted(MigrationRun run, Optional<JobView> job, String problem) {
    var obsolete =
        intent.deleting()
            ? Optional.of("the Migrator is being deleted")
            : obsolete(run, job, problem);
    if (obsolete.isPresent()) {
      return abandon(run, job, obsolete.get());
    }
    look.guard();
    draft.answerRequest(run);
    job.filter(found -> found.suspended() && !found.deleting())
        .ifPresent(found -> look.add(new Effect.Unsuspend(found.name(), found.uid())));
    if (problem.isEmpty() || seen.podsOf(run.getJob()).isEmpty()) {
      look.again(LOOK_AGAIN); // what is in the way may be told by events alone
    }
    return problem.isEmpty()
        ? Start.starting(run.getImage(), run.getJob(), run.getAttempt(), remark(run))
        : hindered(run, job, problem);
  }

  private Standing hindered(MigrationRun run, Optional<JobView> job, String problem) {
    var message =
        "The migration of image %s cannot start: %s (Job %s)"
            .formatted(run.getImage(), problem, run.getJob());
    if (job.isEmpty()) {
      return Standing.reconciling(Reason.MigrationsRunning, message);
    }
    var lasting = job.get().created().plus(PATIENCE);
    if (seen.now().isBefore(lasting)) {
      look.again(Duration.between(seen.now(), lasting));
      return Standing.reconciling(Reason.MigrationsRunning, message);
    }
    var advice =
        ", and this has lasted since %s; correct what it names: a changed Migrator or template replaces this attempt"
            .formatted(Draft.time(job.get().created()));
    if (!draft.readyMessage().contains(advice)) {
      look.tell(true, Reason.MigrationsRunning, message + advice);
    }
    return Standing.reconciling(Reason.MigrationsRunning, message + advice);
  }

  /** Why an attempt that has not started is to be replaced, if it is. */
  private Optional<String> obsolete(MigrationRun run, Optional<JobView> job, String problem) {
    var lender = look.newestLender(run.getImage());
    if (lender.isEmpty()) {
      if (!intent.specHash().equals(run.getSpecHash())) {
        return Optional.of("the spec has changed");
      }
      // With no target left at all the run goes on; here they have moved on.
      return look.survey.candidates().isEmpty() || !look.survey.unread().isEmpty()
          ? Optional.empty()
          : Optional.of("no newest revision uses the image any more");
    }
    var template = lender.get().template();
    var hash = JobManifest.hash(intent, template, run.getImage(), seen.claimNodes());
    if (job.map(found -> found.annotations().getOrDefault(JobView.TEMPLATE_HASH, hash))
        .filter(used -> !used.equals(hash))
        .isPresent()) {
      return Optional.of("the spec or the template of %s has changed".formatted(template.id()));
    }
    return problem.isEmpty()
        ? Optional.empty()
        : newer(run).map(wanted -> "%s, and image %s is newer".formatted(problem, wanted.image()));
  }

  /** An image that came after this run began: it may hold the remedy. */
  private Optional<Wanted> newer(MigrationRun run) {
    return look.startable().stream()
        .filter(wanted -> !wanted.image().equals(run.getImage()))
        .filter(
            wanted ->
                run.getStartTime() != null
                    && wanted.since().isAfter(run.getStartTime().toInstant()))
        .findFirst();
  }

  private Standing abandon(MigrationRun run, Optional<JobView> job, String why) {
    var message =
        "Job %s of image %s had not started and is given up: %s"
            .formatted(run.getJob(), run.getImage(), why);
    job.ifPresentOrElse(look::deleteUnended, look::confirm);
    return giveUp(run, message);
  }

  // ---- between two attempts -----------------------------------------------------------------

  private Standing betweenAttempts(MigrationRun run) {
    var obsolete = obsolete(run);
    if (obsolete.isPresent()) {
      return giveUp(
          run,
          "The migration of image %s is given up: %s".formatted(run.getImage(), obsolete.get()));
    }
    var lender = look.newestLender(run.getImage());
    if (lender.isEmpty()) {
      look.again(LOOK_AGAIN);
      return retrying(run); // templates that could not be read yet
    }
    if (isChanged(run, lender.get().template())) {
      draft.retryAfresh(run);
      look.again(AT_ONCE);
      return retrying(draft.current().orElseThrow());
    }
    var due = run.getNextRetryTime() == null ? seen.now() : run.getNextRetryTime().toInstant();
    // What is further away was written by a leader whose clock was fast, or ours is slow.
    var credible = !due.isAfter(seen.now().plus(LONGEST_DELAY));
    if (credible && seen.now().isBefore(due)) {
      look.again(Duration.between(seen.now(), due));
      return retrying(run);
    }
    return start.attempt(run.getImage(), lender.get().template());
  }

  /** Why no further attempt is to be made, if so. */
  private Optional<String> obsolete(MigrationRun run) {
    if (intent.deleting()) {
      return Optional.of("the Migrator is being deleted");
    }
    if (look.newestLender(run.getImage()).isEmpty()) {
      return look.survey.unread().isEmpty()
          ? Optional.of("no newest revision uses it any more")
          : Optional.empty();
    }
    return newer(run).map(wanted -> "image %s is newer".formatted(wanted.image()));
  }

  private boolean isChanged(MigrationRun run, Template template) {
    if (!Objects.equals(run.getObservedGeneration(), intent.generation())
        || !Objects.requireNonNullElse(run.getRunRequest(), "").equals(intent.runRequest())) {
      return true;
    }
    // A fresh retry keeps the template's name until the attempt: it must not be reset for ever.
    return !template.isAsGoodAs(run.getTemplate(), run.getTemplateRevision()) && failures(run) > 0;
  }

  private Standing giveUp(MigrationRun run, String message) {
    draft.supersede(run, message);
    look.tell(false, Reason.MigrationsQueued, message);
    look.again(AT_ONCE);
    return Standing.reconciling(Reason.MigrationsQueued, message);
  }

  private static Standing retrying(MigrationRun run) {
    return Standing.reconciling(
        Reason.MigrationsRetrying,
        "%s. The next attempt starts at %s"
            .formatted(
                Objects.requireNonNullElse(run.getMessage(), "The migration is tried again"),
                run.getNextRetryTime()));
  }

  private String remark(MigrationRun run) {
    return look.survey
        .lender(run.getImage())
        .map(Survey.Candidate::template)
        .filter(template -> template.id().equals(run.getTemplate()))
        .map(Template::remark)
        .orElse("");
  }
}
