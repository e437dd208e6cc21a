package net.coderanger.migrations.kube;

import module java.base;

import io.helidon.webserver.WebServer;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/** Connects as a webhook's client does: by address, verified by name and by CA bundle. */
final class TlsClient {
  private static final Pattern STATUS = Pattern.compile("HTTP/1.1 (\\d+) .*");

  private TlsClient() {}

  /** A server that answers 204. */
  static WebServer serve(ServingTls serving) {
    return WebServer.builder()
        .host("127.0.0.1")
        .port(0)
        .tls(serving.tls())
        .routing(routing -> routing.any((request, response) -> response.status(204).send()))
        .build()
        .start();
  }

  /** The certificate of a new connection that has answered a request. */
  static X509Certificate request(int port, String name, String caBundle) throws Exception {
    try (var socket = connect(port, name, caBundle)) {
      request(socket);
      return (X509Certificate) socket.getSession().getPeerCertificates()[0];
    }
  }

  static SSLSocket connect(int port, String name, String caBundle) throws Exception {
    var tcp = new Socket(InetAddress.getLoopbackAddress(), port);
    var socket = (SSLSocket) trusting(caBundle).createSocket(tcp, name, port, true);
    socket.setSoTimeout(10_000);
    var parameters = socket.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    return socket;
  }

  /** One request on a connection that stays open. */
  static void request(SSLSocket socket) throws IOException {
    socket
        .getOutputStream()
        .write("GET / HTTP/1.1\r\nHost: test\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    socket.getOutputStream().flush();
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      var next = socket.getInputStream().read();
      if (next < 0) {
        throw new EOFException("closed after '" + head + "'");
      }
      head.append((char) next);
    }
    var status = STATUS.matcher(head.substring(0, head.indexOf("\r\n")));
    if (!status.matches() || !status.group(1).equals("204")) {
      throw new IOException(head.toString());
    }
  }

  private static SSLSocketFactory trusting(String caBundle) throws Exception {
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    for (var certificate :
        CertificateFactory.getInstance("X.509")
            .generateCertificates(new ByteArrayInputStream(caBundle.getBytes()))) {
      store.setCertificateEntry("ca-" + store.size(), certificate);
    }
    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    var context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context.getSocketFactory();
  }
}
