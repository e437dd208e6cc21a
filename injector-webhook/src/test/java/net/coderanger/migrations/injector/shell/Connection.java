package net.coderanger.migrations.injector.shell;

import module java.base;

import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509TrustManager;

/** A TLS connection to the server, byte by byte. */
final class Connection implements AutoCloseable {
  /** An answer, its head as text. */
  record Answer(int status, String head, String body) {}

  private final SSLSocket socket;

  Connection(int port, String... protocols) throws IOException, GeneralSecurityException {
    var context = SSLContext.getInstance("TLS");
    context.init(null, new X509TrustManager[] {new Anybody()}, null);
    socket =
        (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(30_000);
    socket.setTcpNoDelay(true);
    if (protocols.length > 0) {
      socket.setEnabledProtocols(protocols);
    }
    socket.startHandshake();
  }

  /** A whole request with Content-Length and these headers. */
  Answer post(String path, byte[] body, String... headers) throws IOException {
    var all = new ArrayList<>(List.of(headers));
    all.add("Content-Length: " + body.length);
    head("POST " + path, all.toArray(String[]::new));
    write(body);
    return answer();
  }

  void head(String methodAndPath, String... headers) throws IOException {
    var text = new StringBuilder(methodAndPath + " HTTP/1.1\r\nHost: localhost\r\n");
    for (var header : headers) {
      text.append(header).append("\r\n");
    }
    write(text.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
  }

  void write(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
  }

  Answer answer() throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      var next = socket.getInputStream().read();
      if (next < 0) {
        throw new EOFException("closed after: " + head);
      }
      head.append((char) next);
    }
    var length = Pattern.compile("(?i)content-length: *(\\d+)").matcher(head);
    var body =
        socket.getInputStream().readNBytes(length.find() ? Integer.parseInt(length.group(1)) : 0);
    return new Answer(
        Integer.parseInt(head.substring(9, 12)),
        head.toString(),
        new String(body, StandardCharsets.UTF_8));
  }

  boolean isClosedByPeer() throws IOException {
    return socket.getInputStream().read() < 0;
  }

  @Override
  public void close() throws IOException {
    socket.close();
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
