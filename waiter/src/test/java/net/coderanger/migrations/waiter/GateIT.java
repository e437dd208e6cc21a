package net.coderanger.migrations.waiter;

import static net.coderanger.migrations.waiter.StandInGate.HEAD;
import static net.coderanger.migrations.waiter.StandInGate.RELEASED;
import static net.coderanger.migrations.waiter.StandInGate.lines;
import static net.coderanger.migrations.waiter.StandInGate.raw;
import static net.coderanger.migrations.waiter.StandInGate.released;
import static net.coderanger.migrations.waiter.StandInGate.status;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The waiter against a real TLS server. */
@Timeout(20)
class GateIT {
  private static final String WAITING =
      "{\"type\":\"waiting\",\"reason\":\"MigrationsRunning\",\"message\":\"it runs\","
          + "\"job\":\"app-migrations-1\",\"attempt\":1}\n";
  private static final String WAITING_SAID =
      "MigrationsRunning (Job app-migrations-1, attempt 1): it runs";

  private static Authority authority;

  @TempDir private Path pod;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Map<String, String> environment = new HashMap<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private StandInGate gate;

  @BeforeAll
  static void trust() throws Exception {
    authority = new Authority("ours");
  }

  @BeforeEach
  void pod() throws Exception {
    gate = new StandInGate(authority.serving("gate.example"));
    Files.writeString(pod.resolve("token"), "first.token");
    Files.writeString(pod.resolve("termination-log"), "");
    environment.putAll(
        Map.of(
            "waiter.migrator",
            "app",
            "waiter.pod-uid",
            "uid-1",
            "waiter.gate.url",
            "https://gate.example:" + gate.port(),
            "waiter.gate.address",
            "127.0.0.1",
            "waiter.gate.ca",
            authority.pem(),
            "waiter.token-directory",
            pod.toString(),
            "waiter.marker-directory",
            pod.toString(),
            "waiter.termination-log",
            pod.resolve("termination-log").toString(),
            "waiter.back-off.initial",
            "PT0.01S",
            "waiter.back-off.max",
            "PT0.05S"));
  }

  @AfterEach
  void stop() throws IOException {
    threads.shutdownNow();
    gate.close();
  }

  @Test
  void waitsSaysWhyAndEndsWhenReleased() throws Exception {
    gate.then(lines(WAITING, "{\"type\":\"heartbeat\"}\n", "{\"type\":\"news\"}\n", RELEASED));
    assertEquals(0, waiter().get());
    assertEquals(1, said(WAITING_SAID));
    assertEquals(1, said("Released after "));
    assertTrue(Files.readString(pod.resolve("termination-log")).startsWith("Released after "));
    assertEquals("uid-1", Files.readString(pod.resolve("app")));
    var request = gate.requests().getFirst();
    assertEquals("GET /v1/migrators/app/wait HTTP/1.1", request.getFirst());
    assertTrue(request.contains("Authorization: Bearer first.token"), request::toString);
    assertTrue(request.contains("Accept: application/x-ndjson"), request::toString);
    assertTrue(request.contains("Host: gate.example:" + gate.port()), request::toString);
  }

  @Test
  void aPodThatWasReleasedBeforeAsksNobody() throws Exception {
    Files.writeString(pod.resolve("app"), "uid-1\n");
    assertEquals(0, waiter().get());
    assertEquals(List.of(), gate.requests());
  }

  @Test
  void anotherPodsMarkerOpensNothing() throws Exception {
    Files.writeString(pod.resolve("app"), "uid-0");
    gate.then(lines(WAITING)).then(released());
    assertEquals(0, waiter().get());
    assertEquals(2, gate.requests().size());
    assertEquals("uid-1", Files.readString(pod.resolve("app")));
  }

  @Test
  void aMarkerThatCannotBeWrittenDoesNotHoldThePod() throws Exception {
    environment.put("waiter.marker-directory", pod.resolve("missing").toString());
    gate.then(released());
    assertEquals(0, waiter().get());
    assertEquals(1, said("a restart of this container would ask again"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("answersThatDoNotOpen")
  void staysAndAsksAgain(String said, StandInGate.Script answer) throws Exception {
    gate.then(answer).then(answer).then(answer).then(released());
    assertEquals(0, waiter().get());
    assertEquals(4, gate.requests().size(), this::text);
    assertEquals(1, said(said), this::text);
  }

  static Stream<Arguments> answersThatDoNotOpen() {
    var wrongType =
        HEAD.replace("application/x-ndjson", "text/html") + "13\r\n" + RELEASED + "\r\n0\r\n\r\n";
    return Stream.of(
        Arguments.of("The gate answers 401 Unauthorized;", status("401 Unauthorized")),
        Arguments.of(
            "The gate answers 403 Forbidden: not a pod's token;",
            raw(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    + "Content-Length: 17\r\n\r\nnot a pod's token")),
        Arguments.of(
            "The gate answers 404 Not Found: no Migrator app;",
            raw(
                "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 29\r\n\r\n{\"message\":\"no Migrator app\"} ")),
        Arguments.of(
            "The gate answers 503 Service Unavailable;", status("503 Service Unavailable")),
        Arguments.of("The gate answers 204 No Content;", status("204 No Content")),
        Arguments.of(
            "The gate answers 503 Service Unavailable;",
            raw(HEAD.replace("200 OK", "503 Service Unavailable") + "13\r\n" + RELEASED + "\r\n")),
        Arguments.of("The gate's answer is not of type application/x-ndjson", raw(wrongType)),
        Arguments.of("The gate closed the connection", lines()),
        Arguments.of("The gate closed the connection", lines("{\"type\":\"released\"}")),
        Arguments.of("is not understood: not a JSON object", lines("released\n")),
        Arguments.of("is not understood: nested too deeply", lines("[".repeat(60_000) + "\n")),
        Arguments.of("a line of more than 65536 bytes", lines(" ".repeat(65_536) + RELEASED)),
        Arguments.of("The connection to the gate broke", raw("")),
        Arguments.of("The gate", raw("\u0000\u0001garbage\r\n\r\n")),
        Arguments.of("The connection to the gate broke", raw("HTTP/1.1 200 OK\r\nConten")),
        Arguments.of("The ", raw(HEAD + "13\r\n{\"type\":\"rel")));
  }

  @Test
  void aRedirectIsNeverFollowed() throws Exception {
    try (var elsewhere = new StandInGate(authority.serving("gate.example"))) {
      elsewhere.then(released());
      var location = "Location: https://gate.example:" + elsewhere.port() + "/";
      for (var code : List.of("301 Moved", "302 Found", "307 Temporary Redirect", "308 Moved")) {
        gate.then(status(code, location));
      }
      gate.then(released());
      assertEquals(0, waiter().get());
      assertEquals(5, gate.requests().size());
      assertEquals(List.of(), elsewhere.requests());
    }
  }

  @Test
  void retryAfterIsHonouredUpToItsLimit() throws Exception {
    environment.put("waiter.back-off.retry-after-max", "PT1S");
    gate.then(status("429 Too Many Requests", "Retry-After: 3600")).then(released());
    var start = System.nanoTime();
    assertEquals(0, waiter().get());
    var took = Duration.ofNanos(System.nanoTime() - start);
    assertTrue(took.compareTo(Duration.ofSeconds(1)) >= 0, took::toString);
    assertEquals(1, said("The gate answers 429 Too Many Requests;"));
  }

  @Test
  void theTokenIsReadAnewForEachConnectionAndNeverSaid() throws Exception {
    gate.then(
            caller -> {
              Files.writeString(pod.resolve("token"), "second.token\n");
              status("401 Unauthorized").answer(caller);
            })
        .then(released());
    assertEquals(0, waiter().get());
    assertTrue(gate.requests().get(0).contains("Authorization: Bearer first.token"));
    assertTrue(gate.requests().get(1).contains("Authorization: Bearer second.token"));
    assertFalse(text().contains("first.token") || text().contains("second.token"), this::text);
  }

  @Test
  void aTokenThatIsMissingOrNoneIsWaitedFor() throws Exception {
    Files.delete(pod.resolve("token"));
    gate.then(released());
    var waiter = waiter();
    await().until(() -> said("/token does not exist") == 1);
    Files.writeString(pod.resolve("token"), "secret\r\nX-Injected: secret");
    await().until(() -> said("/token does not hold a token") == 1);
    assertFalse(waiter.isDone());
    assertEquals(List.of(), gate.requests());
    Files.writeString(pod.resolve("token"), "a.token");
    assertEquals(0, waiter.get());
    assertFalse(text().contains("secret"), this::text);
  }

  @Test
  void aServerOfAnotherAuthorityGetsNeitherTokenNorSay() throws Exception {
    environment.put("waiter.gate.ca", new Authority("another").pem());
    gate.then(released());
    var waiter = waiter();
    await().until(() -> said("The gate cannot be trusted: ") == 1);
    assertEquals(1, said("delete the pod"), "what to do");
    assertFalse(waiter.isDone());
    assertEquals(List.of(), gate.requests());
  }

  @Test
  void aServerOfAnotherNameGetsNeitherTokenNorSay() throws Exception {
    environment.put("waiter.gate.url", "https://other.example:" + gate.port());
    gate.then(released());
    var waiter = waiter();
    await().until(() -> said("The gate cannot be trusted: ") == 1);
    assertFalse(waiter.isDone());
    assertEquals(List.of(), gate.requests());
  }

  @Test
  void oneOfSeveralAuthoritiesIsEnough() throws Exception {
    environment.put("waiter.gate.ca", new Authority("next").pem() + authority.pem());
    gate.then(released());
    assertEquals(0, waiter().get());
  }

  @Test
  void aConnectionWithoutAWordIsGivenUp() throws Exception {
    environment.put("waiter.gate.silence", "PT0.5S");
    StandInGate.Script halfOpen =
        caller -> {
          caller.send(HEAD);
          caller.chunk(WAITING);
          caller.hold();
        };
    gate.then(halfOpen).then(StandInGate.Caller::hold).then(released());
    assertEquals(0, waiter().get());
    assertEquals(3, gate.requests().size());
    assertTrue(text().contains("No word from the gate for 0 s") || text().contains("in time"));
  }

  @Test
  void oneByteAtATimeIsNoWord() throws Exception {
    environment.put("waiter.gate.silence", "PT0.5S");
    gate.then(
            caller -> {
              caller.send(HEAD);
              while (true) {
                caller.chunk(" ");
                Thread.sleep(20);
              }
            })
        .then(released());
    assertEquals(0, waiter().get());
    assertEquals(1, said("No word from the gate"), this::text);
  }

  @Test
  void aServerThatNeverShakesHandsIsGivenUp() throws Exception {
    try (var mute = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      environment.put("waiter.gate.silence", "PT0.3S");
      environment.put("waiter.gate.url", "https://gate.example:" + mute.getLocalPort());
      var waiter = waiter();
      for (var connection = 0; connection < 3; connection++) {
        // Each try ends with the waiter's hanging up.
        try (var socket = mute.accept()) {
          socket.getInputStream().transferTo(OutputStream.nullOutputStream());
        } catch (SocketException _) {
          // reset
        }
      }
      assertFalse(waiter.isDone());
    }
  }

  @Test
  void aRefusedConnectionIsTriedUntilTheGateIsThere() throws Exception {
    gate.close();
    var waiter = waiter();
    await().until(() -> said("The gate does not accept connections: ") == 1);
    assertFalse(waiter.isDone());
    assertEquals(1, text().lines().filter(it -> it.contains("keeps trying")).count(), this::text);
  }

  @Test
  void aNameThatIsNotFoundIsTriedAgain() {
    environment.put("waiter.gate.address", "");
    environment.put("waiter.gate.url", "https://gate.invalid:8443");
    var waiter = waiter();
    await()
        .untilAsserted(
            () -> assertEquals(1, said("The gate's host name is not found;"), this::text));
    assertFalse(waiter.isDone());
  }

  private Future<Integer> waiter() {
    var config =
        Config.builder()
            .disableEnvironmentVariablesSource()
            .disableSystemPropertiesSource()
            .sources(ConfigSources.create(environment), ConfigSources.classpath("application.yaml"))
            .build();
    return threads.submit(
        () -> Main.run(config, new PrintStream(out, true, StandardCharsets.UTF_8)));
  }

  /** In how many lines. */
  private long said(String text) {
    return text().lines().filter(it -> it.contains(text)).count();
  }

  private String text() {
    return out.toString(StandardCharsets.UTF_8);
  }
}
