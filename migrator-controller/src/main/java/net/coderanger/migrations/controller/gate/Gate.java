package net.coderanger.migrations.controller.gate;

import module java.base;

import com.google.gson.JsonObject;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.controller.core.PodView;
import net.coderanger.migrations.controller.core.Verdict;
import net.coderanger.migrations.controller.shell.Api;
import net.coderanger.migrations.controller.shell.ApiErrors;
import net.coderanger.migrations.controller.shell.Caches;
import net.coderanger.migrations.controller.shell.Events;
import net.coderanger.migrations.controller.shell.Key;
import net.coderanger.migrations.controller.shell.Observation;

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
  private final TokenReviews reviews;
  private final Caches caches;
  private final Observation observation;
  private final Events events;
  private final Signals signals = new Signals();
  private final AtomicInteger waiting = new AtomicInteger();
  private volatile boolean draining;

  /** Judges by these. */
  public Gate(
      GateSettings settings, Api api, Caches caches, Observation observation, Events events) {
    this.settings = settings;
    this.caches = caches;
    this.observation = observation;
    this.events = events;
    reviews = new TokenReviews(api, settings.reviews(), settings.reviewPatience());
    caches.onMigrator(signals::change);
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
    signals.changeAll();
  }

  private void answer(ServerRequest request, ServerResponse response) throws Exception {
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
        case Caller.Pod caller -> {
          var key = new Key(caller.namespace(), request.path().pathParameters().get("name"));
          signals.enter(key);
          try {
            serve(response, key, caller);
          } finally {
            signals.leave(key);
          }
        }
      }
    } finally {
      waiting.decrementAndGet();
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
      response.header(HeaderNames.RETRY_AFTER, String.valueOf(RETRY_AFTER_SECONDS));
    }
    response.status(Status.create(refused.status()));
    response.send(refused.message());
  }

  private void serve(ServerResponse response, Key key, Caller.Pod caller) throws Exception {
    Optional<PodView> pod;
    Verdict verdict;
    var seen = signals.seen(key);
    try {
      pod = livePod(caller);
      if (pod.isEmpty()) {
        refuse(response, new Caller.Refused(403, "the token's pod is gone"));
        return;
      }
      verdict = judge(key, pod.get());
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
    try (var stream = response.outputStream()) {
      watch(stream, key, caller, verdict, seen);
    } catch (UncheckedIOException | IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "Waiter of {0} left: {1}", caller, e.getMessage());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // the server stops; the waiter comes again
    }
  }

  private void watch(OutputStream stream, Key key, Caller.Pod caller, Verdict first, long firstSeen)
      throws IOException, InterruptedException {
    var verdict = first;
    var seen = firstSeen;
    Verdict.Waiting told = null;
    while (true) {
      switch (verdict) {
        case Verdict.Released _ -> {
          line(stream, event(Vocabulary.EVENT_RELEASED));
          return;
        }
        case Verdict.Waiting waits -> {
          if (!waits.equals(told)) {
            line(stream, event(waits));
            tellPod(caller, told, waits);
            told = waits;
          }
        }
      }
      if (draining) {
        return;
      }
      signals.await(key, seen, settings.heartbeat());
      var changed = signals.seen(key);
      if (changed == seen) {
        line(stream, event(Vocabulary.EVENT_HEARTBEAT));
      }
      seen = changed;
      try {
        verdict = again(key, caller);
      } catch (ApiException e) {
        // What was said last stays true until we can look again.
        LOG.log(
            System.Logger.Level.DEBUG,
            "Pod {0} cannot be judged now: {1}",
            caller,
            ApiErrors.describe(e));
      }
    }
  }

  /**
   * Judges again: by the cached pod while it has to wait, by the live one before it is released.
   */
  private Verdict again(Key key, Caller.Pod caller) throws ApiException {
    var cached = observation.cachedPod(caller.namespace(), caller.name(), caller.uid());
    if (cached.isPresent() && judge(key, cached.get()) instanceof Verdict.Waiting waits) {
      return waits;
    }
    var live = livePod(caller);
    return live.isPresent()
        ? judge(key, live.get())
        : new Verdict.Waiting("PodDeleted", "this pod is being deleted", "", 0, true);
  }

  private Optional<PodView> livePod(Caller.Pod caller) throws ApiException {
    return observation
        .livePod(caller.namespace(), caller.name())
        .filter(pod -> pod.uid().equals(caller.uid()));
  }

  private Verdict judge(Key key, PodView pod) throws ApiException {
    var migrator = caches.migrator(key);
    return migrator.isEmpty()
        ? Verdict.withoutMigrator(key.name())
        : Verdict.of(observation.including(migrator.get(), pod), pod);
  }

  /** Says on the pod itself why it waits, for `kubectl describe pod`. */
  private void tellPod(Caller.Pod caller, Verdict.Waiting told, Verdict.Waiting waits) {
    if (told == null || waits.stuck()) {
      events.post(
          caller.namespace(),
          new PodView.Owner("v1", "Pod", caller.name(), caller.uid()),
          waits.stuck(),
          waits.reason(),
          waits.message());
    }
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

  private static void line(OutputStream stream, JsonObject event) throws IOException {
    stream.write((event + "\n").getBytes(StandardCharsets.UTF_8));
    stream.flush();
  }
}
