package net.coderanger.migrations.injector.shell;

import module java.base;

import jakarta.json.Json;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.X509TrustManager;
import net.coderanger.migrations.injector.core.AdmissionRequest;
import net.coderanger.migrations.injector.core.Gate;
import net.coderanger.migrations.injector.core.Injection;
import net.coderanger.migrations.injector.core.KnownMigrator;
import net.coderanger.migrations.injector.core.WaiterSettings;

/**
 * Runs the code that answers reviews before the first real one: the API server gives us 3 s, and
 * the first request of a JVM takes a good part of one. Over the wire with a pod of our own
 * namespace, which never gets a waiter; the injection by itself.
 */
public final class WarmUp {
  private static final System.Logger LOG = System.getLogger(WarmUp.class.getName());
  private static final int CONNECTIONS = 5;
  private static final int REQUESTS = 20;
  private static final int INJECTIONS = 300;
  private static final int TIMEOUT = 10_000;

  private final WaiterSettings settings;
  private final String namespace;

  /**
   * @param settings as the real injection has them
   * @param namespace whose pods are let in untouched
   */
  public WarmUp(WaiterSettings settings, String namespace) {
    this.settings = settings;
    this.namespace = namespace;
  }

  /**
   * Never fails: a slow first answer is better than none.
   *
   * @param port of the webhook, on this machine
   */
  public void run(int port) {
    var start = System.nanoTime();
    try {
      inject();
      var tls = trustingAnybody();
      for (var i = 0; i < CONNECTIONS; i++) {
        request(tls, port);
      }
      var took = Duration.ofNanos(System.nanoTime() - start);
      LOG.log(System.Logger.Level.INFO, "Warm after " + took);
    } catch (IOException e) { // as when we are told to end meanwhile
      LOG.log(System.Logger.Level.WARNING, "Not warmed up, the first answers may be slow: " + e);
    } catch (GeneralSecurityException | RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "Not warmed up", e);
    }
  }

  private void inject() {
    var injection = new Injection(settings, _ -> false);
    var migrators =
        List.of(new KnownMigrator.Selecting("warm-up", labels -> labels.containsKey("app")));
    var gate = Optional.of(new Gate("", Optional.of("127.0.0.1")));
    var body = review("warm-up");
    for (var i = 0; i < INJECTIONS; i++) {
      var request = AdmissionRequest.of(Reviews.parse(body));
      Reviews.answer(request.uid(), injection.decide(request, migrators, gate));
    }
  }

  private void request(SSLSocketFactory tls, int port) throws IOException {
    var body = review(namespace);
    try (var socket = (SSLSocket) tls.createSocket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(TIMEOUT);
      socket.setTcpNoDelay(true); // else each request waits 40 ms (Nagle)
      var out = socket.getOutputStream();
      for (var i = 0; i < REQUESTS; i++) {
        var head =
            "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                .formatted(MutatingWebhook.PATH, body.length);
        out.write(head.getBytes(StandardCharsets.US_ASCII));
        out.write(body);
        out.flush();
        skipAnswer(socket.getInputStream());
      }
    }
  }

  /** Head and body of an answer with Content-Length. */
  private static void skipAnswer(InputStream in) throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      var next = in.read();
      if (next < 0) {
        throw new EOFException("closed after: " + head);
      }
      head.append((char) next);
    }
    if (!head.toString().startsWith("HTTP/1.1 200")) {
      throw new IOException("answered: " + head);
    }
    var length = Pattern.compile("(?i)content-length: *(\\d+)").matcher(head);
    in.skipNBytes(length.find() ? Integer.parseInt(length.group(1)) : 0);
  }

  private static byte[] review(String namespace) {
    var pod =
        Json.createObjectBuilder()
            .add(
                "metadata",
                Json.createObjectBuilder()
                    .add("generateName", "warm-up-")
                    .add("labels", Json.createObjectBuilder().add("app", "warm-up")))
            .add(
                "spec",
                Json.createObjectBuilder()
                    .add("dnsPolicy", "Default")
                    .add("containers", containers())
                    .add("initContainers", containers()));
    var kind = Json.createObjectBuilder().add("group", "").add("version", "v1").add("kind", "Pod");
    var resource =
        Json.createObjectBuilder().add("group", "").add("version", "v1").add("resource", "pods");
    var request =
        Json.createObjectBuilder()
            .add("uid", "warm-up")
            .add("operation", "CREATE")
            .add("kind", kind)
            .add("resource", resource)
            .add("namespace", namespace)
            .add("object", pod);
    return Json.createObjectBuilder()
        .add("apiVersion", "admission.k8s.io/v1")
        .add("kind", "AdmissionReview")
        .add("request", request)
        .build()
        .toString()
        .getBytes(StandardCharsets.UTF_8);
  }

  private static jakarta.json.JsonArrayBuilder containers() {
    return Json.createArrayBuilder()
        .add(Json.createObjectBuilder().add("name", "a").add("image", "a:1"));
  }

  private static SSLSocketFactory trustingAnybody() throws GeneralSecurityException {
    var ourselves =
        new X509TrustManager() {
          @Override
          public void checkClientTrusted(X509Certificate[] chain, String type) {}

          @Override
          public void checkServerTrusted(X509Certificate[] chain, String type) {}

          @Override
          public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
          }
        };
    var context = SSLContext.getInstance("TLS");
    context.init(null, new X509TrustManager[] {ourselves}, null);
    return context.getSocketFactory();
  }
}
