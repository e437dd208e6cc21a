package net.coderanger.migrations.controller;

import module java.base;

import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509TrustManager;

/**
 * Many waiters in a process of their own, as its memory and its sockets are not the gate's: each
 * asks, listens, and comes again when its connection ends, as the waiter does. The file holds a
 * token a line. What each of them hears is told on standard output: its number, when, and the line.
 */
final class Crowd {
  private static final Pattern RETRY_AFTER = Pattern.compile("(?i)retry-after: *(\\d+)");

  private final int[] ports;
  private final String path;

  private Crowd(int[] ports, String path) {
    this.ports = ports;
    this.path = path;
  }

  /** Arguments: ports, with commas; path; file with tokens. */
  public static void main(String[] arguments) throws Exception {
    var ports = Stream.of(arguments[0].split(",")).mapToInt(Integer::parseInt).toArray();
    var crowd = new Crowd(ports, arguments[1]);
    var tokens = Files.readAllLines(Path.of(arguments[2]));
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var i = 0; i < tokens.size(); i++) {
        var number = i;
        threads.submit(() -> crowd.wait(number, tokens.get(number)));
      }
    }
  }

  private void wait(int number, String token) {
    for (var attempt = 0; ; attempt++) {
      var port = ports[(number + attempt) % ports.length];
      var pause = Duration.ofMillis(200);
      try (var socket = connect(port)) {
        pause = listen(number, token, socket);
      } catch (IOException | GeneralSecurityException e) {
        say(number, "fault " + e);
      }
      if (pause.isNegative()) {
        return;
      }
      try {
        Thread.sleep(pause.plusMillis(ThreadLocalRandom.current().nextInt(200)));
      } catch (InterruptedException _) {
        return;
      }
    }
  }

  /** Negative when released, else when to come again. */
  private Duration listen(int number, String token, Socket socket) throws IOException {
    socket
        .getOutputStream()
        .write(
            "GET %s HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer %s\r\n\r\n"
                .formatted(path, token)
                .getBytes(StandardCharsets.ISO_8859_1));
    var in =
        new BufferedReader(
            new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8), 512);
    var status = in.readLine();
    if (status == null || !status.contains(" 200 ")) {
      var retryAfter = OptionalInt.empty();
      for (var line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
        var header = RETRY_AFTER.matcher(line);
        if (header.matches()) {
          retryAfter = OptionalInt.of(Integer.parseInt(header.group(1)));
        }
      }
      say(number, "refused %s, Retry-After %s".formatted(status, retryAfter));
      var seconds = retryAfter.orElse(1);
      return Duration.ofSeconds(seconds);
    }
    for (var line = in.readLine(); line != null; line = in.readLine()) {
      if (line.startsWith("{") && !line.contains("\"heartbeat\"")) {
        say(number, line);
        if (line.equals("{\"type\":\"released\"}")) {
          return Duration.ofSeconds(-1);
        }
      }
    }
    say(number, "ended");
    return Duration.ofMillis(200);
  }

  private static void say(int number, String what) {
    System.out.println(number + " " + System.nanoTime() + " " + what);
  }

  private static SSLSocket connect(int port) throws IOException, GeneralSecurityException {
    var socket =
        (SSLSocket) TLS.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
    socket.setTcpNoDelay(true);
    socket.startHandshake();
    return socket;
  }

  /** Trusts anybody. */
  static final SSLContext TLS = tls(new KeyManager[0]);

  /** Trusts anybody, and shows these certificates to whom asks for one. */
  static SSLContext tls(KeyManager[] keys) {
    try {
      var context = SSLContext.getInstance("TLS");
      context.init(keys, new X509TrustManager[] {new Anybody()}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static final class Anybody implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
