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
import jakarta.json.Json;
import jakarta.json.JsonObject;
import javax.net.ssl.SSLException;
import net.coderanger.migrations.injector.shell.Connection.Answer;
import net.coderanger.migrations.kube.ServingTls;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole server, over TLS, fed with what no API server would send. */
@ServerTest
class BadInputTest {
  private static final String JSON = "Content-Type: application/json";
  private static final FixedCluster CLUSTER = new FixedCluster();

  private final WebServer server;

  BadInputTest(WebServer server) {
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
                    "tls.mode", "files",
                    "tls.directory", TestCertificate.directory().toString())),
            ConfigSources.classpath("application.yaml"));
    var settings = InjectorSettings.from(config);
    var lifecycle = new Lifecycle(Duration.ZERO);
    lifecycle.warm();
    new InjectorServer(
            settings, CLUSTER, new AdmissionMetrics(Services.get(MeterRegistry.class)), lifecycle)
        .configure(builder, config, ServingTls.start(settings.tls(), null).tls());
  }

  @AfterEach
  void theServerStillAnswers() throws Exception {
    CLUSTER.failing = false;
    CLUSTER.synced = true;
    assertEquals("u-1", response(send(creating(shop("")))).getString("uid"));
  }

  @Test
  void aGoodReviewGetsItsPatch() throws Exception {
    var response = response(send(creating(shop(""))));
    assertTrue(response.getBoolean("allowed"));
    assertEquals("JSONPatch", response.getString("patchType"));
    var patch = new String(Base64.getDecoder().decode(response.getString("patch")));
    assertTrue(patch.contains("migrate-wait-db"), patch);
  }

  @Test
  void aRefusalCarriesCodeAndMessage() throws Exception {
    var pod =
        "{\"metadata\":{\"annotations\":{\"migrations.coderanger.net/required\":\"true\"}},\"spec\":{}}";
    var response = response(send(creating(pod)));
    assertFalse(response.getBoolean("allowed"));
    var status = response.getJsonObject("status");
    assertEquals(403, status.getInt("code"));
    assertTrue(status.getString("message").contains("no migrators found matching pod"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "x",
        "null",
        "[]",
        "1",
        "{}",
        "{",
        "{} {}",
        "{\"request\":null}",
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":null}",
        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{}}",
        "{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u\"}}"
      })
  void whatIsNoReviewIs400(String body) throws Exception {
    assertEquals(400, send(body).status());
  }

  @Test
  void aPodThatIsNoneIs400() throws Exception {
    assertEquals(400, send(creating("null")).status());
    assertEquals(400, send(creating("\"pod\"")).status());
    assertEquals(400, send(creating("{\"metadata\":{}}")).status());
  }

  @Test
  void deepNestingIs400AndNoStackOverflow() throws Exception {
    for (var bracket : List.of("[", "{\"a\":")) {
      assertEquals(400, send(bracket.repeat(100_000)).status());
      var pod = "{\"spec\":{\"a\":%s1%s}}".formatted("[".repeat(100_000), "]".repeat(100_000));
      assertEquals(400, send(creating(pod)).status());
    }
  }

  @Test
  void aKeyThatStandsTwiceIs400() throws Exception {
    assertEquals(400, send(creating("{\"spec\":{},\"spec\":{}}")).status());
  }

  @Test
  void loneSurrogatesDoNoHarmOrAre400() throws Exception {
    var pod = shop(",\"x\":\"\\ud800\"");
    assertTrue(response(send(creating(pod))).containsKey("patch"));
    assertEquals(400, send(creating(pod).replace("u-1", "\\ud800")).status());
  }

  @Test
  void bytesThatAreNoUtf8Are400() throws Exception {
    var text = creating(shop("")).replace("u-1", "\u00e4");
    var answer = send(text.getBytes(StandardCharsets.ISO_8859_1), JSON);
    assertEquals(400, answer.status());
  }

  @Test
  void numbersBeyondAllMeasureDoNoHarm() throws Exception {
    var pod = shop(",\"x\":1e999999999,\"y\":" + "9".repeat(900));
    assertTrue(response(send(creating(pod))).containsKey("patch"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Type: text/plain",
        "Content-Type: application/yaml",
        "Content-Type: application/jsonx",
        "Content-Type: ;;;///",
        "Content-Type: ",
        "X-None: 1"
      })
  void anotherContentTypeIs415(String header) throws Exception {
    assertEquals(415, send(creating(shop("")).getBytes(), header).status());
  }

  @Test
  void parametersOfTheContentTypeAreFine() throws Exception {
    var answer = send(creating(shop("")).getBytes(), JSON + "; charset=utf-8");
    assertEquals(200, answer.status());
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "deflate", "br", "x"})
  void aContentEncodingIs415(String encoding) throws Exception {
    var answer = send(new byte[100], JSON, "Content-Encoding: " + encoding);
    assertEquals(415, answer.status());
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "PUT", "DELETE", "PATCH", "OPTIONS"})
  void anotherMethodIs405(String method) throws Exception {
    try (var connection = new Connection(server.port())) {
      connection.head(method + " /mutate");
      var answer = connection.answer();
      assertEquals(405, answer.status());
      assertTrue(answer.head().contains("POST"), answer.head());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/mutate/x", "/validate", "/metrics", "/health", "/observe/health"})
  void anotherPathIs404(String path) throws Exception {
    try (var connection = new Connection(server.port())) {
      assertEquals(404, connection.post(path, creating(shop("")).getBytes(), JSON).status());
    }
  }

  @Test
  void moreThan3MiBIs413() throws Exception {
    try (var connection = new Connection(server.port())) {
      connection.head("POST /mutate", JSON, "Content-Length: " + (RequestBody.LIMIT + 1));
      assertEquals(413, connection.answer().status());
    }
  }

  @Test
  void aBodyOfAlmost3MiBIsFine() throws Exception {
    var pod = shop(",\"x\":\"%s\"".formatted("x".repeat(RequestBody.LIMIT - 1000)));
    assertTrue(response(send(creating(pod))).containsKey("patch"));
  }

  @Test
  void aLargeReviewThatTricklesHoldsUpNoSmallOnes() throws Exception {
    try (var slow = new Connection(server.port())) {
      slow.head("POST /mutate", JSON, "Content-Length: 1000000");
      slow.write("{".getBytes());
      assertTrue(response(send(creating(shop("")))).containsKey("patch"));
      var large = creating(shop(",\"x\":\"%s\"".formatted("x".repeat(100_000))));
      assertEquals(503, send(large).status());
    }
  }

  @Test
  void chunksWithoutEndAre413() throws Exception {
    try (var connection = new Connection(server.port())) {
      connection.head("POST /mutate", JSON, "Transfer-Encoding: chunked");
      var chunk = ("10000\r\n" + " ".repeat(65_536) + "\r\n").getBytes();
      var sender =
          Thread.startVirtualThread(
              () -> {
                try {
                  for (var i = 0; i < 1000; i++) {
                    connection.write(chunk);
                  }
                } catch (IOException _) {
                  // closed by the server, as it should be
                }
              });
      assertEquals(413, connection.answer().status());
      sender.join();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"7fffffff\r\n", "300001\r\n"})
  void oneChunkThatIsTooLargeIs413(String chunk) throws Exception {
    assertEquals(413, chunked(chunk));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ffffffffffffffff\r\n", "x\r\n", "-1\r\n"})
  void aChunkOfNoSizeIs400(String chunk) throws Exception {
    assertEquals(400, chunked(chunk));
  }

  private int chunked(String chunk) throws Exception {
    try (var connection = new Connection(server.port())) {
      connection.head("POST /mutate", JSON, "Transfer-Encoding: chunked");
      connection.write(chunk.getBytes());
      return connection.answer().status();
    }
  }

  @Test
  void aRefusalDoesNotWaitForTheRestOfTheBody() throws Exception {
    try (var connection = new Connection(server.port())) {
      connection.head("POST /nowhere", JSON, "Content-Length: 1000000");
      assertEquals(404, connection.answer().status());
      assertTrue(connection.isClosedByPeer());
    }
  }

  @Test
  void aBodyThatEndsInTheMiddleHarmsNobodyElse() throws Exception {
    try (var connection = new Connection(server.port())) {
      connection.head("POST /mutate", JSON, "Content-Length: 1000");
      connection.write("{".getBytes());
    }
  }

  @Test
  void plainTextAndOldTlsAreRefused() throws Exception {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write("GET /mutate HTTP/1.1\r\nHost: a\r\n\r\n".getBytes());
      var first = readQuietly(socket);
      assertNotEquals('H', first);
    }
    assertThrows(SSLException.class, () -> new Connection(server.port(), "TLSv1.1"));
  }

  private static int readQuietly(Socket socket) {
    try {
      return socket.getInputStream().read();
    } catch (IOException _) {
      return -1;
    }
  }

  @Test
  void hugeHeadersAreRefused() throws Exception {
    var answer = send("{}".getBytes(), JSON, "X-Big: " + "x".repeat(20_000));
    assertTrue(Set.of(400, 413, 431).contains(answer.status()), answer::head);
  }

  @Test
  void whileTheMigratorsAreNotKnownItIsAFailureOfOurs() throws Exception {
    CLUSTER.synced = false;
    assertEquals(500, send(creating(shop(""))).status());
  }

  @Test
  void aFailureOfOursIs500() throws Exception {
    CLUSTER.failing = true;
    assertEquals(500, send(creating(shop(""))).status());
  }

  @Test
  void whatIsNoNewPodIsLetIn() throws Exception {
    var review = creating("null").replace("CREATE", "DELETE");
    var response = response(send(review));
    assertTrue(response.getBoolean("allowed"));
    assertFalse(response.containsKey("patch"));
  }

  private Answer send(String body) throws Exception {
    return send(body.getBytes(StandardCharsets.UTF_8), JSON);
  }

  private Answer send(byte[] body, String... headers) throws Exception {
    try (var connection = new Connection(server.port())) {
      return connection.post("/mutate", body, headers);
    }
  }

  private static JsonObject response(Answer answer) {
    assertEquals(200, answer.status(), answer::body);
    try (var reader = Json.createReader(new StringReader(answer.body()))) {
      return reader.readObject().getJsonObject("response");
    }
  }
}
