package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;

import module java.base;
import module java.net.http;

import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import net.coderanger.migrations.api.Scratch;

/** The service as a process of its own, ready. */
final class ServiceProcess implements AutoCloseable {
  private static final Duration START = Duration.ofMinutes(1);

  private final Process process;
  private final Path log;
  private final int gate;

  private ServiceProcess(Process process, Path log, int gate) {
    this.process = process;
    this.log = log;
    this.gate = gate;
  }

  /** Starts the command with this kubeconfig and environment, and waits until it is ready. */
  static ServiceProcess of(List<String> command, Path kubeconfig, Map<String, String> environment)
      throws IOException {
    var log = Scratch.file("controller", ".log");
    var gate = freePort();
    var management = freePort();
    var builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().put("KUBECONFIG", kubeconfig.toString());
    builder.environment().put("SERVER_PORT", String.valueOf(gate));
    builder.environment().put("SERVER_SOCKETS_0_PORT", String.valueOf(management));
    builder.environment().putAll(environment);
    var started = new ServiceProcess(builder.start(), log, gate);
    var ready = URI.create("http://127.0.0.1:%d/health/ready".formatted(management));
    try {
      await()
          .atMost(START)
          .ignoreExceptions()
          .until(() -> !started.process.isAlive() || status(ready, "") == 200);
      if (!started.process.isAlive()) {
        throw new AssertionError(Files.readString(log));
      }
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      started.close();
      throw new AssertionError(Files.readString(log), e);
    }
    return started;
  }

  /** HTTP status of the gate's answer to this token. */
  int gate(String migrator, String token) throws Exception {
    return status(
        URI.create("https://127.0.0.1:%d/v1/migrators/%s/wait".formatted(gate, migrator)), token);
  }

  /** Of the gate. */
  int port() {
    return gate;
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /**
   * Memory that is resident, in MiB: now (VmRSS), of that what no file holds (RssAnon), or the most
   * so far (VmHWM).
   */
  double resident(String which) throws IOException {
    var line =
        Files.readAllLines(Path.of("/proc/%d/status".formatted(process.pid()))).stream()
            .filter(it -> it.startsWith(which))
            .findFirst()
            .orElseThrow();
    return Integer.parseInt(line.replaceAll("\\D", "")) / 1024.0;
  }

  private static int status(URI uri, String token) throws Exception {
    var request = HttpRequest.newBuilder(uri).header("Authorization", "Bearer " + token).build();
    try (var client = HttpClient.newBuilder().sslContext(trusting()).build()) {
      return client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
    }
  }

  /** The certificate is of no interest here: it is made out to the Service. */
  private static SSLContext trusting() throws GeneralSecurityException {
    var context = SSLContext.getInstance("TLS");
    var all =
        new X509ExtendedTrustManager() {
          @Override
          public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

          @Override
          public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

          @Override
          public void checkClientTrusted(
              X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

          @Override
          public void checkServerTrusted(
              X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

          @Override
          public void checkClientTrusted(X509Certificate[] chain, String type) {}

          @Override
          public void checkServerTrusted(X509Certificate[] chain, String type) {}

          @Override
          public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
          }
        };
    context.init(null, new TrustManager[] {all}, null);
    return context;
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** Ends it as the kubelet does, and waits until it has ended. */
  void terminate() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      throw new AssertionError("it does not end on SIGTERM");
    }
  }

  String log() throws IOException {
    return Files.readString(log);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
