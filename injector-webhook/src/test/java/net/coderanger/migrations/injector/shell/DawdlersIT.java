package net.coderanger.migrations.injector.shell;

import static net.coderanger.migrations.injector.shell.ReviewText.*;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.service.registry.Services;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.testing.junit5.ServerTest;
import io.helidon.webserver.testing.junit5.SetUpServer;
import net.coderanger.migrations.api.Flood;
import net.coderanger.migrations.kube.ServingTls;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** The whole server, over TLS, kept waiting by many at once. */
@Isolated // it measures
@ServerTest
class DawdlersIT {
  private static final String JSON = "Content-Type: application/json";
  private static final int OF_EACH_KIND = 40;
  private static final int IDLE = 10_000;
  private static final int GOOD = 100;

  /** So that there are some above the 99th percentile. */
  private static final int MANY = 400;

  private final WebServer server;
  private final CountDownLatch arrived = new CountDownLatch(5 * OF_EACH_KIND);

  DawdlersIT(WebServer server) {
    this.server = server;
  }

  @SetUpServer
  static void server(WebServerConfig.Builder builder) throws Exception {
    var config =
        Config.create(
            ConfigSources.create(
                Map.of(
                    "server.port", "0",
                    "server.sockets.0.port", "0",
                    "connections.head-time", "PT5S",
                    "connections.request-time", "PT2S",
                    "tls.mode", "files",
                    "tls.directory", TestCertificate.directory().toString())),
            ConfigSources.classpath("application.yaml"));
    var settings = InjectorSettings.from(config);
    var lifecycle = new Lifecycle(Duration.ZERO);
    lifecycle.warm();
    new InjectorServer(
            settings,
            new FixedCluster(),
            new AdmissionMetrics(Services.get(MeterRegistry.class)),
            lifecycle)
        .configure(builder, config, ServingTls.start(settings.tls(), null).tls());
  }

  /** One who keeps the server waiting until it hangs up. */
  private interface Dawdler {
    void dawdle(Connection connection) throws Exception;
  }

  @Test
  void whoDawdlesIsHungUpOnAndNobodyElseNotices() throws Exception {
    good(2 * GOOD); // warm
    var before = good(GOOD);
    var heapBefore = heap();

    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var dawdlers = new ArrayList<Future<?>>();
      for (var i = 0; i < OF_EACH_KIND; i++) {
        dawdlers.add(threads.submit(() -> untilHungUpOn(DawdlersIT::trickleHead)));
        dawdlers.add(threads.submit(() -> untilHungUpOn(DawdlersIT::trickleBody)));
        dawdlers.add(threads.submit(() -> untilHungUpOn(DawdlersIT::stopInTheMiddle)));
        dawdlers.add(threads.submit(() -> untilHungUpOn(_ -> {})));
        dawdlers.add(threads.submit(this::withoutHandshake));
      }
      arrived.await(); // their handshakes cost the same processors that the test has
      var during = good(GOOD);
      System.out.printf(
          "good requests, ms: before p50 %.1f, p99 %.1f; during p50 %.1f, p99 %.1f%n",
          at(before, 50), at(before, 99), at(during, 50), at(during, 99));
      assertTrue(at(during, 99) < 10 * at(before, 99), "good requests are served as before");
      for (var dawdler : dawdlers) {
        dawdler.get(60, TimeUnit.SECONDS);
      }
    }
    good(GOOD);
    var heapAfter = heap();
    assertTrue(heapAfter < heapBefore * 1.25, heapBefore + " bytes before, " + heapAfter);
  }

  @Test
  void aFloodOfConnectionsIsNotNoticedByGoodRequestsAndLeavesNothingBehind() throws Exception {
    good(2 * GOOD);
    var heapBefore = heap();
    var before = good(MANY);
    try (var flood = new Flood(server.port(), IDLE, OF_EACH_KIND)) {
      var arriving = good(GOOD); // each of them is answered
      flood.awaitArrived();
      var heapDuring = heap();
      var during = good(MANY);
      flood.awaitHungUpOn();
      var after = good(MANY);
      System.out.printf(
          "good requests, ms, before %s; while %d connections arrive %s; with them %s; after %s%n",
          at(before), IDLE, at(arriving), at(during), at(after));
      System.out.printf(
          "heap, KiB: %d before, %d with them%n", heapBefore / 1024, heapDuring / 1024);
      for (var percent : List.of(50, 90, 99)) {
        var reference = Math.max(at(before, percent), at(after, percent));
        assertTrue(at(during, percent) < 3 * reference, "p%d unchanged".formatted(percent));
      }
    }
    var heapAfter = heap();
    assertTrue(heapAfter < heapBefore * 1.25, heapBefore + " bytes before, " + heapAfter);
  }

  private InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port());
  }

  private static void trickleHead(Connection connection) throws Exception {
    connection.write("POST /mutate HTTP/1.1\r\n".getBytes());
    while (true) {
      connection.write("X-A: b\r\n".getBytes());
      Thread.sleep(100);
    }
  }

  private static void trickleBody(Connection connection) throws Exception {
    connection.head("POST /mutate", JSON, "Content-Length: 1000");
    while (true) {
      connection.write("{".getBytes());
      Thread.sleep(100);
    }
  }

  private static void stopInTheMiddle(Connection connection) throws Exception {
    connection.head("POST /mutate", JSON, "Content-Length: 1000");
    connection.write("{".getBytes());
  }

  private void untilHungUpOn(Dawdler dawdler) {
    try (var connection = new Connection(server.port())) {
      arrived.countDown();
      dawdler.dawdle(connection);
      while (!connection.isClosedByPeer()) {
        // an answer, before it is hung up on
      }
    } catch (IOException _) {
      // hung up on
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private void withoutHandshake() {
    try (var socket = new Socket()) {
      socket.setSoTimeout(30_000);
      socket.connect(address());
      arrived.countDown();
      assertEquals(-1, socket.getInputStream().read());
    } catch (SocketTimeoutException e) {
      throw new UncheckedIOException(e);
    } catch (IOException _) {
      // hung up on
    }
  }

  /** Milliseconds that so many took, each on a connection of its own, the quickest first. */
  private List<Double> good(int number) throws Exception {
    var body = creating(shop("")).getBytes(StandardCharsets.UTF_8);
    var took = new ArrayList<Double>();
    for (var i = 0; i < number; i++) {
      var start = System.nanoTime();
      try (var connection = new Connection(server.port())) {
        assertEquals(200, connection.post("/mutate", body, JSON).status());
      }
      took.add((System.nanoTime() - start) / 1e6);
    }
    Collections.sort(took);
    return took;
  }

  private static String at(List<Double> sorted) {
    return "p50 %.1f, p90 %.1f, p99 %.1f".formatted(at(sorted, 50), at(sorted, 90), at(sorted, 99));
  }

  private static double at(List<Double> sorted, int percent) {
    return sorted.get(sorted.size() * percent / 100);
  }

  /** Bytes in use after the garbage is gone. */
  private static long heap() {
    var least = Long.MAX_VALUE;
    for (var i = 0; i < 3; i++) {
      System.gc();
      var runtime = Runtime.getRuntime();
      least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
    }
    return least;
  }
}
