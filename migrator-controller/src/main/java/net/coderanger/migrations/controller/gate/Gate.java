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
import net.coderanger.migrations.controller.shell.ApiErrors;
import net.coderanger.migrations.controller.shell.Caches;
import net.coderanger.migrations.controller.shell.Events;
import net.coderanger.migrations.controller.shell.Key;
import net.coderanger.migrations.controller.shell.Observation;
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

  private final GateSettings settings;
  private final Doorkeeper doorkeeper;
  private final TokenReviews reviews;
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
    reviews =
        new TokenReviews(
            api, settings.reviews(), settings.reviewPatience(), settings.reviewMemory());
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
      switch (reviews.review(token(request))) {
        case Caller.Refused refused -> refuse(response, refused);
        case Caller.Pod caller when !caches.include(caller.namespace()) ->
            refuse(response, notServed(caller.namespace()));
        case Caller.Pod caller when !caches.isSynced(caller.namespace()) ->
            refuse(
                response,
                new Caller.Refused(503, "namespace " + caller.namespace() + " is not known yet"));
        case Caller.Pod caller -> {
          var key = new Key(caller.namespace(), request.path().pathParameters().get("name"));
          var crowd = crowds.join(key);
          try {
            serve(request, response, crowd, caller);
          } finally {
            crowds.leave(key);
          }
        }
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
      response.header(HeaderNames.RETRY_AFTER, String.valueOf(RETRY_AFTER_SECONDS));
    }
    response.status(Status.create(refused.status()));
    response.send(refused.message());
  }

  private void serve(ServerRequest request, ServerResponse response, Crowd crowd, Caller.Pod caller)
      throws InterruptedException {
    var seen = crowd.changes();
    Verdict verdict;
    try {
      var pod = observation.livePod(caller.namespace(), caller.name(), caller.uid());
      if (pod.isEmpty()) {
        refuse(response, new Caller.Refused(403, "the token's pod is gone"));
        return;
      }
      verdict = crowd.judge(pod.get());
    } catch (ApiException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          "Pod {0}/{1} cannot be judged: {2}",
          caller.namespace(),
          caller.name(),
          ApiErrors.describe(e));
      refuse(response, new Caller.Refused(503, "the API server cannot be reached"));
      return;
    }
    response.header(HeaderNames.CONTENT_TYPE, "application/x-ndjson");
    var until = System.nanoTime() + longestWait().toNanos();
    try (var stream = response.outputStream()) {
      Wait.Speaking speaking = () -> doorkeeper.within(request, settings.readTime());
      new Wait(caller, crowd, observation, events, stream, speaking, settings.heartbeat())
          .watch(verdict, seen, () -> draining || System.nanoTime() - until >= 0);
    } catch (UncheckedIOException | IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "Waiter of {0} left: {1}", caller, e.getMessage());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // the server stops; the waiter comes again
    }
  }

  /** Spread, so that waiters that came together do not come again together. */
  private Duration longestWait() {
    var longest = settings.longestWait().toNanos();
    return Duration.ofNanos(ThreadLocalRandom.current().nextLong(longest / 2, longest));
  }
}
