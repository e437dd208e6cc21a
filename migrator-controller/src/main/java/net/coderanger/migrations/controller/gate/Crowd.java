package net.coderanger.migrations.controller.gate;

import module java.base;

import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.controller.core.PodView;
import net.coderanger.migrations.controller.core.Verdict;
import net.coderanger.migrations.controller.shell.Caches;
import net.coderanger.migrations.controller.shell.Key;
import net.coderanger.migrations.controller.shell.Observation;

/**
 * The waiters of one Migrator at this replica. A change wakes all of them at once, and what they
 * then need is got once for all of them: what a verdict rests on, and the live look at their pods
 * without which none is released.
 */
final class Crowd {
  /** How long a judge serves while the Migrator does not change: pods come and go meanwhile. */
  private static final Duration JUDGE_SERVES = Duration.ofMillis(200);

  /** How old the live look may be by which a pod is released. */
  private static final Duration LOOK_SERVES = Duration.ofSeconds(1);

  private final Key key;
  private final Caches caches;
  private final Observation observation;
  private final Shared<Optional<Verdict.Judge>> judge = new Shared<>(this::newJudge);
  private final Shared<Map<String, PodView>> look = new Shared<>(this::newLook);
  private long changes;
  private long changed = System.nanoTime();

  Crowd(Key key, Caches caches, Observation observation) {
    this.key = key;
    this.caches = caches;
    this.observation = observation;
  }

  /** The number of changes so far, to be given to {@link #await}. */
  synchronized long changes() {
    return changes;
  }

  /** The Migrator has changed. */
  synchronized void change() {
    changes++;
    changed = System.nanoTime();
    notifyAll();
  }

  /**
   * Returns as soon as there is a change after the ones given, and at the latest after this time.
   */
  synchronized void await(long seen, Duration atMost) throws InterruptedException {
    var until = System.nanoTime() + atMost.toNanos();
    while (changes == seen) {
      var left = until - System.nanoTime();
      if (left <= 0) {
        return;
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
  }

  /**
   * Judges a pod by what the caches show, no older than the Migrator's last change.
   *
   * @throws ApiException when something that is not cached cannot be read
   */
  Verdict judge(PodView pod) throws ApiException, InterruptedException {
    var present = judge.begunSince(since(JUDGE_SERVES));
    if (present.isEmpty()) {
      return Verdict.withoutMigrator(key.name());
    }
    var seen = present.get().seen();
    var known = Optional.ofNullable(seen.templates().get(pod.uid()));
    return present
        .get()
        .judge(pod, known.isPresent() ? known : observation.template(seen.intent(), pod));
  }

  /** A waiter's pod, read live after the Migrator's last change; empty when it is gone. */
  Optional<PodView> live(Caller.Pod caller) throws ApiException, InterruptedException {
    var pod = look.begunSince(since(LOOK_SERVES)).get(caller.uid());
    return pod == null
        ? observation.livePod(caller.namespace(), caller.name(), caller.uid())
        : Optional.of(pod);
  }

  private synchronized long since(Duration serves) {
    var now = System.nanoTime();
    return now - Math.min(now - changed, serves.toNanos());
  }

  private Optional<Verdict.Judge> newJudge() throws ApiException {
    var migrator = caches.migrator(key);
    return migrator.isEmpty()
        ? Optional.empty()
        : Optional.of(Verdict.Judge.of(observation.forVerdicts(migrator.get())));
  }

  private Map<String, PodView> newLook() throws ApiException {
    var migrator = caches.migrator(key);
    return migrator.isEmpty() ? Map.of() : observation.livePending(migrator.get());
  }
}
