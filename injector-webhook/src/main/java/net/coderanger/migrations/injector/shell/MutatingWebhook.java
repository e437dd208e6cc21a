package net.coderanger.migrations.injector.shell;

import module java.base;

import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import net.coderanger.migrations.injector.core.AdmissionRequest;
import net.coderanger.migrations.injector.core.Injection;
import net.coderanger.migrations.injector.core.MalformedReview;
import net.coderanger.migrations.injector.core.Outcome;
import net.coderanger.migrations.injector.core.Outcome.AllowUntouched;
import net.coderanger.migrations.injector.core.Outcome.Patch;
import net.coderanger.migrations.injector.core.Outcome.Refuse;
import net.coderanger.migrations.injector.shell.AdmissionMetrics.Result;

/**
 * The webhook's HTTP side. What the sender did wrong gets 4xx, a failure of ours 500; under
 * failurePolicy Ignore the API server then lets the pod in.
 */
final class MutatingWebhook implements HttpService {
  static final String PATH = "/mutate";

  private static final System.Logger LOG = System.getLogger(MutatingWebhook.class.getName());
  private static final String JSON = "application/json";

  /** Bytes; hardly a pod is larger. */
  private static final int SMALL = 64 * 1024;

  /** Within the 3 s that the API server waits for the answer. */
  private static final Duration TURN = Duration.ofSeconds(2);

  /**
   * Large reviews go one by one: parsed they are ten times their size, and a few of 3 MiB at once
   * would take all of the heap. All others pass them by.
   */
  private final Semaphore large = new Semaphore(1, true);

  private final Injection injection;
  private final Cluster cluster;
  private final AdmissionMetrics metrics;
  private final Lifecycle lifecycle;
  private final Consumer<ServerRequest> answered;

  MutatingWebhook(
      Injection injection,
      Cluster cluster,
      AdmissionMetrics metrics,
      Lifecycle lifecycle,
      Consumer<ServerRequest> answered) {
    this.lifecycle = lifecycle;
    this.answered = answered;
    this.injection = injection;
    this.cluster = cluster;
    this.metrics = metrics;
  }

  @Override
  public void routing(HttpRules rules) {
    rules
        .post(PATH, this::mutateAndKeep)
        .any(
            PATH,
            (_, response) -> {
              response.header(HeaderNames.ALLOW, "POST");
              refuse(response, Status.METHOD_NOT_ALLOWED_405, "POST only");
            })
        .any((_, response) -> refuse(response, Status.NOT_FOUND_404, "POST to " + PATH));
  }

  /** Who was refused is not kept: his connection ends by the request's limit of time. */
  private void mutateAndKeep(ServerRequest request, ServerResponse response) {
    mutate(request, response);
    answered.accept(request);
  }

  private void mutate(ServerRequest request, ServerResponse response) {
    if (request.headers().contains(HeaderNames.CONTENT_ENCODING)) {
      refuse(response, Status.UNSUPPORTED_MEDIA_TYPE_415, "no content encoding, please");
      return;
    }
    if (!isJson(request.headers().first(HeaderNames.CONTENT_TYPE))) {
      refuse(response, Status.UNSUPPORTED_MEDIA_TYPE_415, JSON + " only");
      return;
    }
    if (isSmall(request.headers().contentLength())) {
      readAndAnswer(request, response);
      return;
    }
    if (!isTurnOfLarge()) {
      refuse(response, Status.SERVICE_UNAVAILABLE_503, "other large reviews are being answered");
      return;
    }
    try {
      readAndAnswer(request, response);
    } finally {
      large.release();
    }
  }

  private boolean isTurnOfLarge() {
    try {
      return large.tryAcquire(TURN.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static boolean isSmall(OptionalLong length) {
    return length.isPresent() && length.getAsLong() <= SMALL;
  }

  private void readAndAnswer(ServerRequest request, ServerResponse response) {
    var start = System.nanoTime();
    switch (read(request)) {
      case RequestBody.Read body -> answer(body.bytes(), response, start);
      case RequestBody.TooLarge _ ->
          refuse(response, Status.REQUEST_ENTITY_TOO_LARGE_413, "more than 3 MiB");
      case RequestBody.TooSlow _ -> refuse(response, Status.REQUEST_TIMEOUT_408, "too slow");
      case RequestBody.Broken _ -> refuse(response, Status.BAD_REQUEST_400, "broken body");
    }
  }

  /**
   * Whatever Helidon finds wrong in a body is answered by us: left to itself it waits for the rest
   * of the body before it answers (4.4.0).
   */
  private static RequestBody read(ServerRequest request) {
    try {
      return RequestBody.read(request.content().inputStream(), RequestBody.TIME);
    } catch (RequestException e) {
      return e.status().equals(Status.REQUEST_ENTITY_TOO_LARGE_413)
          ? new RequestBody.TooLarge()
          : new RequestBody.Broken();
    } catch (RuntimeException _) {
      return new RequestBody.Broken();
    }
  }

  private void answer(byte[] body, ServerResponse response, long start) {
    Result result;
    byte[] answer;
    try {
      var request = AdmissionRequest.of(Reviews.parse(body));
      var outcome = decide(request);
      result = result(outcome);
      answer = Reviews.answer(request.uid(), outcome);
      response.header(HeaderValues.CONTENT_TYPE_JSON);
    } catch (MalformedReview e) {
      result = Result.MALFORMED;
      answer = text(e.getMessage());
      response.status(Status.BAD_REQUEST_400).header(HeaderValues.CONTENT_TYPE_TEXT_PLAIN);
    } catch (RuntimeException | StackOverflowError e) {
      LOG.log(System.Logger.Level.ERROR, "A pod could not be decided on", e);
      result = Result.FAILED;
      answer = text("internal error: " + e.getMessage());
      response
          .status(Status.INTERNAL_SERVER_ERROR_500)
          .header(HeaderValues.CONTENT_TYPE_TEXT_PLAIN);
    }
    metrics.count(result, Duration.ofNanos(System.nanoTime() - start));
    if (lifecycle.isDraining()) {
      // A review that comes on a kept connection while we close it would fail open.
      response.header(HeaderValues.CONNECTION_CLOSE);
    }
    response.send(answer);
  }

  private Outcome decide(AdmissionRequest request) {
    if (injection.concerns(request) && !cluster.isSynced(request.namespace())) {
      throw new IllegalStateException(
          "the Migrators of namespace %s are not known yet".formatted(request.namespace()));
    }
    return injection.decide(request, cluster.migrators(request.namespace()), cluster.gate());
  }

  private static Result result(Outcome outcome) {
    return switch (outcome) {
      case Patch _ -> Result.PATCHED;
      case AllowUntouched _ -> Result.UNTOUCHED;
      case Refuse _ -> Result.REFUSED;
    };
  }

  private static boolean isJson(Optional<String> contentType) {
    return contentType
        .map(it -> it.split(";", 2)[0].strip())
        .filter(JSON::equalsIgnoreCase)
        .isPresent();
  }

  /** Without reading the rest of the request, which may be endless. */
  private static void refuse(ServerResponse response, Status status, String message) {
    try {
      response
          .status(status)
          .header(HeaderValues.CONNECTION_CLOSE)
          .header(HeaderValues.CONTENT_TYPE_TEXT_PLAIN)
          .send(text(message));
    } catch (RuntimeException e) { // the sender has gone
      throw new CloseConnectionException(message, e);
    }
    // The header alone leaves the connection open, and the rest would be read as the next request.
    throw new CloseConnectionException(message);
  }

  private static byte[] text(String message) {
    return String.valueOf(message).getBytes(StandardCharsets.UTF_8);
  }
}
