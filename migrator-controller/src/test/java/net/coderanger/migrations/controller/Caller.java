package net.coderanger.migrations.controller;

import module java.base;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/** One TLS connection to the gate, line by line. */
final class Caller implements AutoCloseable {
  private final Socket plain;
  private final SSLSocket socket;
  private final BufferedReader in;

  Caller(int port) throws IOException, GeneralSecurityException {
    this(port, 0);
  }

  Caller(int port, SSLContext tls) throws IOException {
    this(port, 0, tls);
  }

  /**
   * @param window bytes that the peer may send before they are read; 0: as usual
   */
  Caller(int port, int window) throws IOException, GeneralSecurityException {
    this(port, window, Crowd.TLS);
  }

  private Caller(int port, int window, SSLContext tls) throws IOException {
    plain = new Socket();
    if (window > 0) {
      plain.setReceiveBufferSize(window);
    }
    plain.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    socket = (SSLSocket) tls.getSocketFactory().createSocket(plain, "gate", port, true);
    socket.setSoTimeout(30_000);
    socket.setTcpNoDelay(true);
    socket.startHandshake();
    in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
  }

  void ask(String migrator, String token) throws IOException {
    send(
        "GET /v1/migrators/%s/wait HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer %s\r\n\r\n"
            .formatted(migrator, token));
  }

  void send(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    socket.getOutputStream().flush();
  }

  /** Until the peer has had enough. */
  void sendAsFarAsRead(String text) {
    try {
      send(text);
    } catch (IOException _) {
      // it has answered
    }
  }

  /** The answer's status, once its head has come. */
  int status() throws IOException {
    var first = in.readLine();
    for (var line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
      // the headers
    }
    return Integer.parseInt(first.split(" ")[1]);
  }

  /** The next event, or the end of a refusal; empty at the end. */
  String line() throws IOException {
    for (var line = in.readLine(); line != null; line = in.readLine()) {
      if (line.startsWith("{")) {
        return line;
      }
    }
    return "";
  }

  @Override
  public void close() throws IOException {
    plain.close(); // at once: TLS would wait until the gate has something to say
  }
}
