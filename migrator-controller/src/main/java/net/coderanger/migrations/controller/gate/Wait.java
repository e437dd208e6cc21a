package net.coderanger.migrations.controller.gate;

import module java.base;

import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.controller.core.PodView;
import net.coderanger.migrations.controller.core.Verdict;
import net.coderanger.migrations.controller.shell.Events;
import net.coderanger.migrations.controller.shell.Observation;
import net.coderanger.migrations.kube.ApiErrors;
import net.coderanger.migrations.kube.Doorkeeper;

/** One waiter's open request: told each change, and at last that its pod may start. */
final class Wait {
  private static final System.Logger LOG = System.getLogger(Wait.class.getName());

  /** After a look that failed; sooner than the next heartbeat, for nothing else may change. */
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  /** Begins a limit of time for a peer that may not read. */
  interface Speaking {
    Doorkeeper.InTime begin();
  }

  private final Caller.Pod caller;
  private final Crowd crowd;
  private final Observation observation;
  private final Events events;
  private final OutputStream stream;
  private final Speaking speaking;
  private final Duration heartbeat;
  private Verdict.Waiting told;
  private long spoke;

  Wait(
      Caller.Pod caller,
      Crowd crowd,
      Observation observation,
      Events events,
      OutputStream stream,
      Speaking speaking,
      Duration heartbeat) {
    this.caller = caller;
    this.crowd = crowd;
    this.observation = observation;
    this.events = events;
    this.stream = stream;
    this.speaking = speaking;
    this.heartbeat = heartbeat;
  }

  /**
   * Stays until the release, or until it has to end.
   *
   * @param seen changes that the first verdict knows of
   * @param ended whether the waiter shall come again, to another replica
   */
  void watch(Verdict first, long seen, BooleanSupplier ended)
      throws IOException, InterruptedException {
    var verdict = Optional.of(first);
    var known = seen;
    while (true) {
      if (verdict.isPresent()) {
        switch (verdict.get()) {
          case Verdict.Released _ -> {
            line(event(Vocabulary.EVENT_RELEASED));
            return;
          }
          case Verdict.Waiting waits -> tell(waits);
        }
      }
      if (ended.getAsBoolean()) {
        line(event(Vocabulary.EVENT_RECONNECT));
        return;
      }
      var quiet = heartbeat.minusNanos(System.nanoTime() - spoke);
      crowd.await(known, verdict.isEmpty() && quiet.compareTo(LOOK_AGAIN) > 0 ? LOOK_AGAIN : quiet);
      known = crowd.changes();
      if (System.nanoTime() - spoke >= heartbeat.toNanos()) {
        line(event(Vocabulary.EVENT_HEARTBEAT));
      }
      verdict = again();
    }
  }

  /** The verdict now; empty when it cannot be told: what was said last stays true until then. */
  private Optional<Verdict> again() throws InterruptedException {
    try {
      return Optional.of(verdict());
    } catch (ApiException e) {
      LOG.log(
          System.Logger.Level.DEBUG,
          "Pod {0} cannot be judged now: {1}",
          caller,
          ApiErrors.describe(e));
      return Optional.empty();
    }
  }

  /**
   * By the cached pod while it has to wait; released by the live one, and only if no edit of its
   * images has come by then.
   */
  private Verdict verdict() throws ApiException, InterruptedException {
    if (cached() instanceof Verdict.Waiting waits) {
      return waits;
    }
    var live = crowd.live(caller);
    if (live.isEmpty()) {
      return new Verdict.Waiting("PodDeleted", "this pod is being deleted", "", 0, true);
    }
    return crowd.judge(live.get()) instanceof Verdict.Waiting waits ? waits : cached();
  }

  /** Released too when the cache has not got the pod yet: then the live one alone decides. */
  private Verdict cached() throws ApiException, InterruptedException {
    var pod = observation.cachedPod(caller.namespace(), caller.name(), caller.uid());
    return pod.isPresent() ? crowd.judge(pod.get()) : new Verdict.Released();
  }

  private void tell(Verdict.Waiting waits) throws IOException {
    if (waits.equals(told)) {
      return;
    }
    line(event(waits));
    if (told == null || waits.stuck()) { // for `kubectl describe pod`
      events.post(
          caller.namespace(),
          new PodView.Owner("v1", "Pod", caller.name(), caller.uid()),
          waits.stuck(),
          waits.reason(),
          waits.message());
    }
    told = waits;
  }

  private static JsonObject event(String type) {
    var event = new JsonObject();
    event.addProperty("type", type);
    return event;
  }

  private static JsonObject event(Verdict.Waiting waits) {
    var event = event(Vocabulary.EVENT_WAITING);
    event.addProperty("reason", waits.reason());
    event.addProperty("message", waits.message());
    if (!waits.job().isEmpty()) {
      event.addProperty("job", waits.job());
      event.addProperty("attempt", waits.attempt());
    }
    return event;
  }

  private void line(JsonObject event) throws IOException {
    try (var _ = speaking.begin()) {
      stream.write((event + "\n").getBytes(StandardCharsets.UTF_8));
      stream.flush();
    }
    spoke = System.nanoTime();
  }
}
