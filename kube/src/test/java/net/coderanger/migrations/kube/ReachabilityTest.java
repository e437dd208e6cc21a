package net.coderanger.migrations.kube;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** What a process's log says of calls that fail; the API server is played within the client. */
@Isolated // listens to a logger of all tests
class ReachabilityTest {
  private static final Logger LOGGER = Logger.getLogger(Reachability.class.getName());

  private final Queue<String> told = new ConcurrentLinkedQueue<>();
  private final Handler handler = new Told();

  @BeforeEach
  void listen() {
    LOGGER.addHandler(handler);
  }

  @AfterEach
  void listenNoMore() {
    LOGGER.removeHandler(handler);
  }

  @Test
  void aCallWithoutAnAnswerIsTold() {
    assertThrows(
        ConnectException.class,
        () ->
            call(
                _ -> {
                  throw new ConnectException("refused");
                }));
    assertEquals(1, told.size(), told::toString);
  }

  @Test
  void aCallThatTookTooLongIsTold() {
    assertThrows(
        InterruptedIOException.class,
        () ->
            call(
                _ -> {
                  throw new InterruptedIOException("timeout");
                }));
    assertEquals(1, told.size(), told::toString);
  }

  /** As when a service ends while a call is under way. */
  @Test
  void aCallThatItsCallerGaveUpIsNotTold() {
    assertThrows(
        InterruptedIOException.class,
        () ->
            call(
                _ -> {
                  Thread.currentThread().interrupt();
                  throw new InterruptedIOException();
                }));
    assertTrue(Thread.interrupted());
    assertEquals(List.of(), List.copyOf(told));
  }

  private static void call(Interceptor server) throws IOException {
    var client =
        new OkHttpClient.Builder()
            .addInterceptor(new Reachability())
            .addInterceptor(server)
            .build();
    client.newCall(new Request.Builder().url("http://localhost/").build()).execute().close();
  }

  private final class Told extends Handler {
    @Override
    public void publish(LogRecord line) {
      told.add(line.getMessage());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
