package net.coderanger.migrations.api;

import static org.awaitility.Awaitility.await;

import module java.base;
import module java.net.http;

import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** The service as a process of its own, ready. */
public final class ServiceProcess implements AutoCloseable {
  private static final Duration START = Duration.ofMinutes(1);

  private final Process process;
  private final Path log;
  private final int port;
  private final int management;

  private ServiceProcess(Process process, Path log, int port, int management) {
    this.process = process;
    this.log = log;
    this.port = port;
    this.management = management;
  }

  /** Starts the command with this kubeconfig and environment, and waits until it is ready. */
  public static ServiceProcess of(
      List<String> command, Path kubeconfig, Map<String, String> environment) throws IOException {
    var log = Scratch.file("service", ".log");
    var port = freePort();
    var management = freePort();
    var builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().put("KUBECONFIG", kubeconfig.toString());
    builder.environment().put("SERVER_PORT", String.valueOf(port));
    builder.environment().put("SERVER_SOCKETS_0_PORT", String.valueOf(management));
    builder.environment().putAll(environment);
    var started = new ServiceProcess(builder.start(), log, port, management);
    try {
      await()
          .atMost(START)
          .ignoreExceptions()
          .until(
              () ->
                  !started.process.isAlive()
                      || started.management("/health/ready").statusCode() == 200);
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
  public int gate(String migrator, String token) throws Exception {
    return askGate(migrator, token).statusCode();
  }

  /** The gate's whole answer to this token, once it has ended. */
  public HttpResponse<String> askGate(String migrator, String token) throws Exception {
    var path = Vocabulary.GATE_PATH + migrator + Vocabulary.GATE_PATH_END;
    return send(request("https", port, path).header("Authorization", "Bearer " + token));
  }

  /** Sends JSON to the port with TLS. */
  public HttpResponse<String> post(String path, String json) throws Exception {
    return send(
        request("https", port, path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json)));
  }

  /** A metric without labels of our own, as the management port shows it. */
  public double metric(String name) throws Exception {
    var page = management("/metrics").body();
    return page.lines()
        .filter(it -> it.startsWith(name + "{") || it.startsWith(name + " "))
        .map(it -> Double.parseDouble(it.substring(it.lastIndexOf(' ') + 1)))
        .findFirst()
        .orElseThrow(() -> new AssertionError(name + " is not in " + page));
  }

  /** What the management port answers: health, metrics. */
  public HttpResponse<String> management(String path) throws Exception {
    return send(request("http", management, path));
  }

  /** Of the port with TLS. */
  public int port() {
    return port;
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /**
   * Memory that is resident, in MiB: now (VmRSS), of that what no file holds (RssAnon), or the most
   * so far (VmHWM).
   */
  public double resident(String which) throws IOException {
    var line =
        Files.readAllLines(Path.of("/proc/%d/status".formatted(process.pid()))).stream()
            .filter(it -> it.startsWith(which))
            .findFirst()
            .orElseThrow();
    return Integer.parseInt(line.replaceAll("\\D", "")) / 1024.0;
  }

  private static HttpRequest.Builder request(String scheme, int port, String path) {
    return HttpRequest.newBuilder(URI.create("%s://127.0.0.1:%d%s".formatted(scheme, port, path)));
  }

  private static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    try (var client = HttpClient.newBuilder().sslContext(trusting()).build()) {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
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
  public void terminate() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      throw new AssertionError("it does not end on SIGTERM");
    }
  }

  public String log() throws IOException {
    return Files.readString(log);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
