package net.coderanger.migrations.controller.gate;

import module java.base;

import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.controller.core.Verdict;
import net.coderanger.migrations.controller.shell.Api;
import net.coderanger.migrations.controller.shell.Caches;
import net.coderanger.migrations.controller.shell.Events;
import net.coderanger.migrations.controller.shell.Key;
import net.coderanger.migrations.controller.shell.Observation;
import net.coderanger.migrations.kube.ApiErrors;
import net.coderanger.migrations.kube.Doorkeeper;

/**
 * The gate: holds a waiter's request open, tells it why it waits, and releases it. Any replica
 * answers, from its own caches and a live look at the pod. The answer is a watch in Kubernetes' own
 * form: JSON objects, one a line.
 */
public final class Gate implements HttpService {
  private static final System.Logger LOG = System.getLogger(Gate.class.getName());
  private static final String BEARER = "Bearer ";
  private static final int RETRY_AFTER_SECONDS = 1;
  private static final int SOONEST_WHEN_FULL = 5;
  private static final int LATEST_WHEN_FULL = 15;

  private final GateSettings settings;
  private final Doorkeeper doorkeeper;
  private final TokenReviews reviews;
  private final Semaphore connects;
  private final Caches caches;
  private final Observation observation;
  private final Events events;
  private final Crowds crowds;
  private final AtomicInteger waiting = new AtomicInteger();
  private volatile boolean draining;

  /** Judges by these. */
  public Gate(
      GateSettings settings,
      Doorkeeper doorkeeper,
      Api api,
      Caches caches,
      Observation observation,
      Events events) {
    this.settings = settings;
    this.doorkeeper = doorkeeper;
    this.caches = caches;
    this.observation = observation;
    this.events = events;
    reviews = new TokenReviews(api, settings.reviewMemory());
    connects = new Semaphore(settings.connects(), true);
    crowds = new Crowds(caches, observation);
    caches.onMigrator(crowds::change);
  }

  @Override
  public void routing(HttpRules rules) {
    rules.get(Vocabulary.GATE_PATH + "{name}" + Vocabulary.GATE_PATH_END, this::answer);
  }

  /** Number of waiters whose requests are open. */
  public int waiting() {
    return waiting.get();
  }

  /** Ends all waits; the waiters come again and find another replica. */
  public void drain() {
    draining = true;
    crowds.changeAll();
  }

  private void answer(ServerRequest request, ServerResponse response) throws InterruptedException {
    // One connection, one answer: none is left open by whom nobody waits for.
    response.header(HeaderValues.CONNECTION_CLOSE);
    serve(request, response);
    doorkeeper.within(request, settings.readTime()); // to take leave
  }

  private void serve(ServerRequest request, ServerResponse response) throws InterruptedException {
    if (draining || !caches.isSynced()) {
      refuse(response, new Caller.Refused(503, "not ready"));
      return;
    }
    if (waiting.incrementAndGet() > settings.waiters()) {
      waiting.decrementAndGet();
      refuse(response, new Caller.Refused(429, "too many waiters"));
      return;
    }
    try {
      switch (admission(request)) {
        case Admitted admitted -> hold(request, response, admitted);
        case Refused refused -> refuse(response, refused.why());
      }
    } finally {
      waiting.decrementAndGet();
    }
  }

  private static Caller.Refused notServed(String namespace) {
    return new Caller.Refused(
        403,
        ("namespace %s is not among those that this operator serves: have it added to"
                + " kubernetes.namespaces of both services, or delete the pod: its successor"
                + " starts without a migration")
            .formatted(namespace));
  }

  /** What becomes of a caller. */
  private sealed interface Admission {}

  /**
   * It may wait.
   *
   * @param crowd that it has joined, and has to leave
   * @param seen changes that the verdict knows of
   */
  private record Admitted(Key key, Crowd crowd, Caller.Pod caller, Verdict verdict, long seen)
      implements Admission {}

  private record Refused(Caller.Refused why) implements Admission {}

  /**
   * A caller costs calls to the API server only here, and only so many are made at a time: the
   * lease, the runs and everybody else in the cluster need it too.
   */
  private Admission admission(ServerRequest request) throws InterruptedException {
    if (!connects.tryAcquire(settings.connectPatience().toNanos(), TimeUnit.NANOSECONDS)) {
      return new Refused(new Caller.Refused(429, "too many callers at once"));
    }
    try {
      return switch (reviews.review(token(request))) {
        case Caller.Refused refused -> new Refused(refused);
        case Caller.Pod caller when !caches.include(caller.namespace()) ->
            new Refused(notServed(caller.namespace()));
        case Caller.Pod caller when !caches.isSynced(caller.namespace()) ->
            new Refused(
                new Caller.Refused(503, "namespace " + caller.namespace() + " is not known yet"));
        case Caller.Pod caller ->
            judged(
                caller, new Key(caller.namespace(), request.path().pathParameters().get("name")));
      };
    } finally {
      connects.release();
    }
  }

  private Admission judged(Caller.Pod caller, Key key) throws InterruptedException {
    var crowd = crowds.join(key);
    Admission admission = null;
    try {
      admission = judged(caller, key, crowd);
      return admission;
    } finally {
      if (!(admission instanceof Admitted)) {
        crowds.leave(key);
      }
    }
  }

  private static String token(ServerRequest request) {
    return request
        .headers()
        .first(HeaderNames.AUTHORIZATION)
        .filter(value -> value.startsWith(BEARER))
        .map(value -> value.substring(BEARER.length()).strip())
        .orElse("");
  }

  private static void refuse(ServerResponse response, Caller.Refused refused) {
    if (refused.status() == 429 || refused.status() == 503) {
      response.header(HeaderNames.RETRY_AFTER, String.valueOf(retryAfter(refused.status())));
    }
    response.status(Status.create(refused.status()));
    response.send(refused.message());
  }

  /**
   * Seconds. Spread where there are too many, for each that comes again costs a handshake: a
   * thousand of them a second are more than the processors of a replica can do.
   */
  private static int retryAfter(int status) {
    return status == 429
        ? ThreadLocalRandom.current().nextInt(SOONEST_WHEN_FULL, LATEST_WHEN_FULL + 1)
        : RETRY_AFTER_SECONDS;
  }

  private Admission judged(Caller.Pod caller, Key key, Crowd crowd) throws InterruptedException {
    var seen = crowd.changes();
    try {
      var pod = observation.livePod(caller.namespace(), caller.name(), caller.uid());
      return pod.isEmpty()
          ? new Refused(new Caller.Refused(403, "the token's pod is gone"))
          : new Admitted(key, crowd, caller, crowd.judge(pod.get()), seen);
    } catch (ApiException e) {
      LOG.log(
          ApiErrors.isOutage(e) ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING,
          "Pod {0}/{1} cannot be judged: {2}",
          caller.namespace(),
          caller.name(),
          ApiErrors.describe(e));
      return new Refused(new Caller.Refused(503, "the API server cannot be reached"));
    }
  }

  private void hold(ServerRequest request, ServerResponse response, Admitted admitted) {
    response.header(HeaderNames.CONTENT_TYPE, "application/x-ndjson");
    var caller = admitted.caller();
    var crowd = admitted.crowd();
    var until = System.nanoTime() + longestWait().toNanos();
    try (var stream = response.outputStream()) {
      Wait.Speaking speaking = () -> doorkeeper.within(request, settings.readTime());
      new Wait(caller, crowd, observation, events, stream, speaking, settings.heartbeat())
          .watch(
              admitted.verdict(),
              admitted.seen(),
              () -> draining || System.nanoTime() - until >= 0);
    } catch (UncheckedIOException | IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "Waiter of {0} left: {1}", caller, e.getMessage());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // the server stops; the waiter comes again
    } finally {
      crowds.leave(admitted.key());
    }
  }

  /** Spread, so that waiters that came together do not come again together. */
  private Duration longestWait() {
    var longest = settings.longestWait().toNanos();
    return Duration.ofNanos(ThreadLocalRandom.current().nextLong(longest / 2, longest));
  }
}
