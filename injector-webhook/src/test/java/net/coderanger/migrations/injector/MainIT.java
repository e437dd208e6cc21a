package net.coderanger.migrations.injector;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import net.coderanger.migrations.api.Scratch;
import net.coderanger.migrations.api.StagedImage;
import net.coderanger.migrations.injector.shell.ClusterUnderTest;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The process, self-managed, as a user starts it. */
class MainIT {
  private static ClusterUnderTest cluster;
  private static Path kubeconfig;

  private final List<Process> processes = new ArrayList<>();
  private Path log;

  @BeforeAll
  static void start() throws IOException {
    cluster = new ClusterUnderTest();
    cluster.namespace("migrations-operator", "{}");
    cluster.webhook("zz-migrations-operator-injector", 1, "none");
    kubeconfig = Files.writeString(Scratch.file("kube", "config"), cluster.kubeconfig());
  }

  @AfterAll
  static void stop() throws IOException {
    cluster.close();
    Files.delete(kubeconfig);
  }

  @AfterEach
  void end() {
    processes.forEach(Process::destroyForcibly);
  }

  @Test
  void startsFromItsArchiveIsReadyOnceTheGatesCaIsThereSetsTheCaBundleAndDrains() throws Exception {
    var management = freePort();
    var image = new StagedImage();
    var process =
        run(image.command(), Map.of("SERVER_SOCKETS_0_PORT", management, "INJECTOR_DRAIN", "PT3S"));
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> process.isAlive() && status(management, "/health/ready") == 503);
    assertEquals(200, status(management, "/health/live"));
    // Any certificate will do as the gate's CA: our own is at hand.
    cluster.gate("migrations-operator", awaitCaBundle());
    await().atMost(Duration.ofSeconds(60)).until(() -> status(management, "/health/ready") == 200);
    process.destroy();
    await().atMost(Duration.ofSeconds(10)).until(() -> status(management, "/health/ready") == 503);
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    assertEquals(128 + 15, process.exitValue(), this::log);
    image.assertUsed();
  }

  @Test
  void aTakenPortEndsItWithAnError() throws Exception {
    try (var taken = new ServerSocket(0)) {
      var port = String.valueOf(taken.getLocalPort());
      for (var key : List.of("SERVER_PORT", "SERVER_SOCKETS_0_PORT")) {
        var process = run(Map.of(key, port));
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), this::log);
        assertEquals(1, process.exitValue(), this::log);
        assertTrue(log().contains("a port could not be bound"), this::log);
      }
    }
  }

  @Test
  void aBadValueEndsItWithAMessageThatNamesTheKey() throws Exception {
    var process = run(Map.of("INJECTOR_WAITER_USER", "root"));
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), this::log);
    assertEquals(1, process.exitValue());
    assertTrue(log().contains("injector.waiter-user: 'root' is no valid value"), this::log);
  }

  private Process run(Map<String, String> environment) throws IOException {
    return run(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx64m",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName()),
        environment);
  }

  private Process run(List<String> command, Map<String, String> environment) throws IOException {
    log = Scratch.file("injector", ".log");
    var builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().put("KUBECONFIG", kubeconfig.toString());
    builder.environment().put("SERVER_PORT", "0");
    builder.environment().put("SERVER_SOCKETS_0_PORT", "0");
    builder.environment().putAll(environment);
    var process = builder.start();
    processes.add(process);
    return process;
  }

  private String log() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String awaitCaBundle() {
    return await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () -> cluster.caBundle("zz-migrations-operator-injector"),
            it -> it.contains("BEGIN CERTIFICATE"));
  }

  private static int status(String port, String path) throws InterruptedException {
    try {
      var connection =
          (HttpURLConnection)
              URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
      connection.setConnectTimeout(1000);
      connection.setReadTimeout(5000);
      return connection.getResponseCode();
    } catch (IOException _) {
      return 0;
    }
  }

  private static String freePort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return String.valueOf(socket.getLocalPort());
    }
  }
}
