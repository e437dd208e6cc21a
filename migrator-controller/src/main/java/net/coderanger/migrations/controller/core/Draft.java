package net.coderanger.migrations.controller.core;

import module java.base;

import io.kubernetes.client.openapi.models.V1Condition;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.MigratedImage;
import net.coderanger.migrations.api.v1beta1.MigrationFailure;
import net.coderanger.migrations.api.v1beta1.MigrationRecord;
import net.coderanger.migrations.api.v1beta1.MigrationRun;
import net.coderanger.migrations.api.v1beta1.MigratorStatus;

/** The next status, in the making: a copy of the last one, changed step by step. */
final class Draft {
  private static final int HISTORY = 10;
  private static final int MIGRATED_IMAGES = 100;

  private final Intent intent;
  private final Instant now;
  private final MigratorStatus status;

  Draft(Intent intent, MigratorStatus last, Instant now) {
    this.intent = intent;
    this.now = now.truncatedTo(ChronoUnit.SECONDS);
    // Shallow: lists and members are replaced here, never changed.
    status =
        new MigratorStatus()
            .observedGeneration(last.getObservedGeneration())
            .conditions(last.getConditions())
            .lastSuccessfulMigration(last.getLastSuccessfulMigration())
            .waitingPods(last.getWaitingPods())
            .current(last.getCurrent())
            .failures(last.getFailures())
            .attempts(last.getAttempts())
            .runRequestHandled(last.getRunRequestHandled())
            .migratedImages(last.getMigratedImages())
            .history(last.getHistory());
  }

  MigratorStatus status() {
    return status;
  }

  Optional<MigrationRun> current() {
    return Optional.ofNullable(status.getCurrent());
  }

  Memory memory() {
    return new Memory(intent, status);
  }

  void adopt(List<MigratedImage> images) {
    status.setMigratedImages(images);
  }

  /** Takes up a Job of ours that works although the status does not name it. */
  void adopt(JobView job) {
    status.setCurrent(
        new MigrationRun()
            .image(job.image())
            .migrationImage(job.annotations().get(JobView.MIGRATION_IMAGE))
            .job(job.name())
            .template(job.annotations().get(JobView.TEMPLATE))
            .specHash(job.annotations().get(JobView.SPEC_HASH))
            .startTime(time(job.created()))
            .attempt(1)
            .failedAttempts(0)
            .observedGeneration(intent.generation()));
    status.setAttempts(Math.max(attempts(), job.serial()));
  }

  long attempts() {
    return Objects.requireNonNullElse(status.getAttempts(), 0L);
  }

  /** Begins the next attempt: of the current run if it is for this image, else of a new one. */
  void begin(String image, Template template, String job, long serial) {
    var run =
        current()
            .filter(current -> current.getImage().equals(image))
            .map(Draft::copy)
            .orElseGet(() -> new MigrationRun().image(image).startTime(time(now)));
    status.setCurrent(
        run.migrationImage(intent.migrationImage(image))
            .job(job)
            .template(template.id())
            .templateRevision(template.revision())
            .specHash(intent.specHash())
            .attempt(Objects.requireNonNullElse(run.getAttempt(), 0) + 1)
            .failedAttempts(Objects.requireNonNullElse(run.getFailedAttempts(), 0))
            .nextRetryTime(null)
            .runRequest(intent.runRequest().isEmpty() ? null : intent.runRequest())
            .observedGeneration(intent.generation()));
    status.setAttempts(serial);
    forgiveAllBut(used -> !used.equals(image));
    if (!intent.runRequest().isEmpty()) {
      status.setRunRequestHandled(intent.runRequest());
    }
  }

  void succeed(MigrationRun run) {
    var images = new ArrayList<MigratedImage>();
    images.add(
        new MigratedImage()
            .image(run.getImage())
            .migrationImage(run.getMigrationImage())
            .at(time(now)));
    memory().images().stream()
        .filter(
            old ->
                !(old.getImage().equals(run.getImage())
                    && Objects.equals(old.getMigrationImage(), run.getMigrationImage())))
        .forEach(images::add);
    status.setMigratedImages(images);
    status.setLastSuccessfulMigration(run.getImage());
    forgiveAllBut(image -> !image.equals(run.getImage()));
    end(run, MigrationRecord.ResultEnum.SUCCEEDED, "");
  }

  void failForGood(MigrationRun run, int failedAttempts, String message) {
    forgiveAllBut(image -> !image.equals(run.getImage()));
    var failures = new ArrayList<>(memory().failures());
    failures.addFirst(
        new MigrationFailure()
            .image(run.getImage())
            .migrationImage(run.getMigrationImage())
            .job(run.getJob())
            .template(run.getTemplate())
            .templateRevision(run.getTemplateRevision())
            .observedGeneration(run.getObservedGeneration())
            .runRequest(run.getRunRequest())
            .failedAttempts(failedAttempts)
            .at(time(now))
            .message(message));
    status.setFailures(failures);
    end(run, MigrationRecord.ResultEnum.FAILED, message);
  }

  void supersede(MigrationRun run, String message) {
    end(run, MigrationRecord.ResultEnum.SUPERSEDED, message);
  }

  /** Between two attempts: when the next one is due, and why the last one ended. */
  void retry(MigrationRun run, int failedAttempts, Duration delay, String message) {
    status.setCurrent(
        copy(run)
            .job(null)
            .failedAttempts(failedAttempts)
            .nextRetryTime(time(now.plus(delay)))
            .message(message));
  }

  /** Has an attempt that has not started answer a request that came meanwhile. */
  void answerRequest(MigrationRun run) {
    if (!intent.runRequest().isEmpty() && !intent.runRequest().equals(run.getRunRequest())) {
      status.setCurrent(copy(run).runRequest(intent.runRequest()));
      status.setRunRequestHandled(intent.runRequest());
    }
  }

  /** After a success that does not count: another attempt at once. */
  void repeat(MigrationRun run, String message) {
    retryAfresh(copy(run).job(null).message(message));
  }

  /** Makes the next attempt due at once, with all retries before it. */
  void retryAfresh(MigrationRun run) {
    status.setCurrent(
        copy(run)
            .failedAttempts(0)
            .nextRetryTime(time(now))
            .runRequest(intent.runRequest().isEmpty() ? null : intent.runRequest())
            .observedGeneration(intent.generation()));
    if (!intent.runRequest().isEmpty()) {
      status.setRunRequestHandled(intent.runRequest());
    }
  }

  /** Forgets images beyond the last hundred, but none that a live target uses. */
  void forgetAllBut(Set<String> used) {
    var images = memory().images();
    if (images.size() > MIGRATED_IMAGES) {
      status.setMigratedImages(
          IntStream.range(0, images.size())
              .filter(i -> i < MIGRATED_IMAGES || used.contains(images.get(i).getImage()))
              .mapToObj(images::get)
              .toList());
    }
  }

  /** Forgets the failures of other images. */
  void forgiveAllBut(Predicate<String> images) {
    var kept =
        memory().failures().stream().filter(failure -> images.test(failure.getImage())).toList();
    status.setFailures(kept.isEmpty() ? null : kept);
  }

  void conclude(Standing standing, int waiting) {
    status.setObservedGeneration(intent.generation());
    status.setWaitingPods(waiting);
    status.setConditions(
        standing.conditions(
            intent.generation(),
            Objects.requireNonNullElse(status.getConditions(), List.of()),
            time(now)));
  }

  /** What the Ready condition last said. */
  String readyMessage() {
    return Objects.requireNonNullElse(status.getConditions(), List.<V1Condition>of()).stream()
        .filter(condition -> Vocabulary.CONDITION_READY.equals(condition.getType()))
        .map(condition -> Objects.requireNonNullElse(condition.getMessage(), ""))
        .findFirst()
        .orElse("");
  }

  private void end(MigrationRun run, MigrationRecord.ResultEnum result, String message) {
    var history = new ArrayList<MigrationRecord>();
    history.add(
        new MigrationRecord()
            .image(run.getImage())
            .migrationImage(run.getMigrationImage())
            .job(run.getJob())
            .result(result)
            .startTime(run.getStartTime())
            .completionTime(time(now))
            .message(message.isEmpty() ? null : message));
    Objects.requireNonNullElse(status.getHistory(), List.<MigrationRecord>of()).stream()
        // A Job that outlived its record was taken up again: the new record replaces that.
        .filter(old -> run.getJob() == null || !run.getJob().equals(old.getJob()))
        .forEach(history::add);
    status.setHistory(List.copyOf(history.subList(0, Math.min(HISTORY, history.size()))));
    status.setCurrent(null);
  }

  private static MigrationRun copy(MigrationRun run) {
    return new MigrationRun()
        .image(run.getImage())
        .migrationImage(run.getMigrationImage())
        .job(run.getJob())
        .template(run.getTemplate())
        .templateRevision(run.getTemplateRevision())
        .specHash(run.getSpecHash())
        .startTime(run.getStartTime())
        .attempt(run.getAttempt())
        .failedAttempts(run.getFailedAttempts())
        .nextRetryTime(run.getNextRetryTime())
        .runRequest(run.getRunRequest())
        .observedGeneration(run.getObservedGeneration())
        .message(run.getMessage());
  }

  static OffsetDateTime time(Instant instant) {
    return instant.truncatedTo(ChronoUnit.SECONDS).atOffset(ZoneOffset.UTC);
  }
}
