package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.MigrationRecord;
import net.coderanger.migrations.api.v1beta1.MigrationRun;

/** Jobs and pods of runs that the status does not name, or no longer. */
final class Remains {
  private final Look look;

  Remains(Look look) {
    this.look = look;
  }

  /**
   * A Job of ours that the status does not name though its result is not recorded: the status was
   * lost, or a Job that was given up was not deleted. A status that has not counted the Job has
   * lost it, so that even its end counts yet; else only one that works is meant, and not one whose
   * end does not show yet because its pod is gone already.
   */
  Optional<JobView> orphan() {
    return ours()
        .filter(job -> !job.suspended() && !job.deleting() && !job.image().isEmpty())
        .filter(job -> isUncounted(job) ? tells(job) : !isOver(job) && !isRecorded(job))
        .max(Comparator.comparingLong(JobView::serial));
  }

  private boolean isUncounted(JobView job) {
    return job.serial() > look.draft.attempts();
  }

  /** Whether it still shows how its attempt goes or went. */
  private boolean tells(JobView job) {
    return job.ended().isEmpty() || !look.seen.podsOf(job.name()).isEmpty();
  }

  /** Why no attempt may start now, if so: two migrations must never run together. */
  Optional<String> obstacle() {
    var jobs =
        look.seen.jobs().stream()
            .filter(job -> !isOver(job))
            .map(
                job ->
                    "Job %s of an earlier attempt has not ended yet%s"
                        .formatted(
                            job.name(),
                            job.ownerUid().equals(look.intent.uid())
                                ? ""
                                : "; it belongs to another Migrator of this name, delete it if"
                                    + " nobody needs it"));
    var pods =
        look.seen.runPods().stream()
            .filter(pod -> !isOver(pod))
            .map(
                pod ->
                    "pod %s of an earlier attempt has not ended yet%s"
                        .formatted(
                            pod.name(),
                            pod.deletion().isPresent()
                                ? "; if its node is gone for good, delete the pod with --force"
                                : ""));
    return Stream.concat(jobs, pods).findFirst();
  }

  /** Our Job whose migration may go on working, if there is one. */
  Optional<JobView> working() {
    return ours().filter(job -> !job.suspended() && !isOver(job)).findFirst();
  }

  /** Deletes what is left of starts that were broken off, and Jobs beyond the history limits. */
  void clearAway() {
    ours()
        .filter(job -> job.suspended() && job.ended().isEmpty() && !job.deleting())
        .filter(job -> !isCurrent(job))
        .forEach(look::deleteUnended);
    for (var complete : List.of(true, false)) {
      var limit =
          complete
              ? look.intent.successfulJobsHistoryLimit()
              : look.intent.failedJobsHistoryLimit();
      ours()
          .filter(job -> job.ended().isPresent() && job.complete() == complete)
          .filter(job -> !job.deleting() && !isCurrent(job))
          // A status that has not heard of the Job is stale: its result is not recorded yet.
          .filter(job -> !isUncounted(job))
          .sorted(
              Comparator.comparing((JobView job) -> job.ended().get())
                  .thenComparing(JobView::serial)
                  .reversed())
          .skip(limit)
          .forEach(job -> look.add(new Effect.Delete(job.name(), job.uid())));
    }
  }

  private Stream<JobView> ours() {
    return look.seen.jobs().stream().filter(job -> job.ownerUid().equals(look.intent.uid()));
  }

  private boolean isRecorded(JobView job) {
    return Objects.requireNonNullElse(look.seen.status().getHistory(), List.<MigrationRecord>of())
        .stream()
        .filter(record -> job.name().equals(record.getJob()))
        .anyMatch(record -> record.getResult() != MigrationRecord.ResultEnum.SUPERSEDED);
  }

  // By the last status too: a result is being recorded by this very decision, and the Job may go
  // only once that is written.
  private boolean isCurrent(JobView job) {
    return Stream.of(look.seen.status().getCurrent(), look.draft.status().getCurrent())
        .filter(Objects::nonNull)
        .map(MigrationRun::getJob)
        .anyMatch(job.name()::equals);
  }

  private boolean isOver(JobView job) {
    return job.ended().isPresent()
        || look.seen.podsOf(job.name()).stream().anyMatch(Remains::isOver);
  }

  /** Whether the migration container can no longer work; native sidecars may go on. */
  private static boolean isOver(PodView pod) {
    return pod.phase().equals("Succeeded")
        || pod.phase().equals("Failed")
        || pod.states().get(Vocabulary.MIGRATION_CONTAINER)
            instanceof PodView.ContainerState.Terminated;
  }
}
