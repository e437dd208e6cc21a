package net.coderanger.migrations.controller.shell;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.kubernetes.client.openapi.ApiClient;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.ResponseBody;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** What is told of a lease that cannot be written; the API server is played within the client. */
@Isolated
class LeadershipTest {
  private static final List<Logger> LOGGERS =
      Stream.of(LeaseLock.class, Leadership.class)
          .map(it -> Logger.getLogger(it.getName()))
          .toList();

  private final Queue<LogRecord> told = new ConcurrentLinkedQueue<>();
  private final AtomicInteger writes = new AtomicInteger();
  private final Handler handler = new Told();

  @BeforeEach
  void listen() {
    LOGGERS.forEach(it -> it.addHandler(handler));
  }

  @AfterEach
  void listenNoMore() {
    LOGGERS.forEach(it -> it.removeHandler(handler));
  }

  @Test
  void anApiServerThatGoesAwayBetweenLookAndWriteIsNotToldHere() throws Exception {
    try (var _ = electing(_ -> Optional.empty())) {
      await().until(() -> writes.get() >= 2);
    }
    assertEquals(List.of(), messages());
  }

  @Test
  void aRightThatIsMissingIsToldOnceAndInOneLine() throws Exception {
    try (var _ = electing(_ -> Optional.of("no right to leases"))) {
      await().until(() -> writes.get() >= 2);
    }
    assertEquals(
        List.of("Leader election: the API server answered 403: no right to leases"), messages());
    assertTrue(told.stream().allMatch(it -> it.getThrown() == null));
  }

  /** A machine that is slow may tell besides that an attempt took longer than a period. */
  private List<String> messages() {
    return told.stream()
        .map(LogRecord::getMessage)
        .filter(it -> !it.equals("Leader election: TimeoutException"))
        .toList();
  }

  /** A lease that is not there, and cannot be written: refused with this answer, or none comes. */
  private Leadership electing(Function<Request, Optional<String>> refusal) {
    var http =
        new OkHttpClient.Builder()
            .addInterceptor(
                chain -> {
                  var request = chain.request();
                  if (request.method().equals("GET")) {
                    return answer(request, 404, "not found");
                  }
                  writes.incrementAndGet();
                  return answer(
                      request,
                      403,
                      refusal
                          .apply(request)
                          .orElseThrow(() -> new IOException("unexpected end of stream")));
                })
            .build();
    var settings =
        new ControllerSettings(
            "ours",
            "us",
            1,
            Duration.ofSeconds(1),
            Duration.ofSeconds(60),
            Duration.ofSeconds(50),
            Duration.ofMillis(500),
            Duration.ZERO);
    var leadership =
        new Leadership(
            new ApiClient(http).setBasePath("http://played"),
            settings,
            () -> fail("nobody leads without a lease"));
    leadership.start();
    return leadership;
  }

  private static Response answer(Request request, int code, String body) {
    return new Response.Builder()
        .request(request)
        .protocol(Protocol.HTTP_1_1)
        .code(code)
        .message("")
        .body(ResponseBody.create(body, MediaType.get("application/json")))
        .build();
  }

  private final class Told extends Handler {
    @Override
    public void publish(LogRecord line) {
      told.add(line);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
