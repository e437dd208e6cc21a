package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import io.kubernetes.client.util.KubeConfig;
import io.kubernetes.client.util.SSLUtils;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Vocabulary;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who is served at the gate, and what becomes of callers that behave badly; over TLS. */
class GateIT {
  private static final String MIGRATED =
      "{\"migratedImages\":[{\"image\":\"shop:1\",\"migrationImage\":\"shop:1\"}]}";
  private static final String NODE_TOKEN = "token-of-a-node";
  private static final String USER_TOKEN = "token-of-a-user";
  private static final AtomicInteger NAMESPACES = new AtomicInteger();
  private static final Calls CALLS = new Calls();
  private static KubeApi kube;
  private static RunningGate gate;

  private Cluster cluster;
  private JsonObject replicaSet;

  @BeforeAll
  static void start() throws Exception {
    kube =
        KubeApi.withMigrators(
            "--token-auth-file=" + users(),
            "--api-audiences=https://kubernetes.default.svc," + Vocabulary.AUDIENCE);
    gate =
        new RunningGate(
            kube,
            CALLS,
            Map.of(
                "gate.heartbeat", "PT0.005S",
                "gate.read-time", "PT1S",
                "gate.longest-wait", "PT1M",
                "connections.head-time", "PT1S",
                "connections.request-time", "PT2S",
                "server.connection-options.socket-send-buffer-size", "4096"));
  }

  @AfterAll
  static void stop() {
    gate.close();
    kube.close();
  }

  @BeforeEach
  void namespace() throws Exception {
    cluster = new Cluster(kube, "gate-" + NAMESPACES.incrementAndGet());
    cluster.migrator("shop", "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}}");
    replicaSet = cluster.replicaSet("shop-a", "shop:1", 1);
    CALLS.forget();
  }

  @Test
  void aPodsOwnTokenIsServedAndNoOther() throws Exception {
    var pod = pod("shop-1");
    cluster.migratorStatus("shop", MIGRATED);
    assertEquals(200, status(token(pod)));

    assertEquals(401, status(""), "none");
    assertEquals(401, status("forged"), "no token at all");
    var parts = token(pod).split("\\.");
    assertEquals(401, status(parts[0] + "." + parts[1] + ".AAAA"), "another signature");
    var other = Base64.getUrlEncoder().withoutPadding().encodeToString("{}".getBytes());
    assertEquals(401, status(parts[0] + "." + other + "." + parts[2]), "another content");
    assertEquals(401, status(cluster.token(pod, "other")), "another audience");
    assertEquals(401, status(cluster.token(pod, "https://kubernetes.default.svc")), "the API's");
    assertEquals(401, status("x".repeat(20_000).substring(0, 15_000)), "a long one");
    assertEquals(403, status(unbound()), "not bound to a pod");
  }

  @Test
  void aUsersCertificateIsNoToken() throws Exception {
    var admin = KubeConfig.loadKubeConfig(new StringReader(kube.kubeconfig()));
    var keys =
        SSLUtils.keyManagers(
            Files.readAllBytes(Path.of(admin.getClientCertificateFile())),
            Files.readAllBytes(Path.of(admin.getClientKeyFile())),
            "RSA",
            "",
            null,
            null);
    try (var caller = new Caller(gate.port(), Crowd.tls(keys))) {
      caller.send("GET /v1/migrators/shop/wait HTTP/1.1\r\nHost: gate\r\n\r\n");
      assertEquals(401, caller.status());
    }
  }

  @Test
  void aNodeOrAUserIsNotAPod() throws Exception {
    cluster.migratorStatus("shop", MIGRATED);
    // Bound to a node, as tokens of ServiceAccounts may be.
    cluster.call("POST", "/api/v1/nodes", "{\"metadata\":{\"name\":\"n1\"}}");
    assertEquals(
        403,
        status(
            requested(
                "\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"n1\"}")),
        "bound to a node");
    // This API server is told that our audience is its own, else it takes none of these for us.
    assertEquals(403, status(NODE_TOKEN), "a node's");
    assertEquals(403, status(USER_TOKEN), "a user's");
    try (var usual = KubeApi.withMigrators("--token-auth-file=" + users());
        var other = new RunningGate(usual, CALLS, Map.of())) {
      for (var token : List.of(NODE_TOKEN, USER_TOKEN)) {
        try (var caller = new Caller(other.port())) {
          caller.ask("shop", token);
          assertEquals(401, caller.status(), "not meant for us");
        }
      }
    }
  }

  private static Path users() throws IOException {
    return Files.writeString(
        Path.of("target/users.csv").toAbsolutePath(),
        """
        %s,system:node:n1,1,"system:nodes"
        %s,jane,2,"system:masters"
        """
            .formatted(NODE_TOKEN, USER_TOKEN));
  }

  @Test
  void anExpiredTokenIsNotServed() throws Exception {
    cluster.migratorStatus("shop", MIGRATED);
    var token = token(pod("shop-1"));
    var now = Instant.now().getEpochSecond();
    // TokenRequest gives none for less than ten minutes, so it is signed anew, with the same key.
    assertEquals(200, status(SignedAnew.token(token, now - 700, now + 60)), "the signature holds");
    assertEquals(401, status(SignedAnew.token(token, now - 700, now - 60)), "expired");
  }

  @Test
  void aDeletedPodsTokenAndItsSuccessorsPodAreToldApart() throws Exception {
    cluster.migratorStatus("shop", MIGRATED);
    var first = pod("shop-1");
    var old = token(first);
    assertEquals(200, status(old));
    cluster.deletePod("shop-1");
    // The review may still be remembered, here for 5 s and by the API server for 10 s.
    assertEquals(403, status(old), "deleted");
    var successor = pod("shop-1");
    assertNotEquals(Cluster.uid(first), Cluster.uid(successor));
    assertEquals(403, status(old), "another pod of its name");
    assertEquals(200, status(token(successor)));
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertEquals(401, status(old), "once nobody remembers it"));
  }

  @Test
  void aPodOfAnotherNamespaceGetsTheAnswerOfItsOwn() throws Exception {
    cluster.migratorStatus("shop", MIGRATED);
    var elsewhere = new Cluster(kube, "elsewhere");
    var pod =
        elsewhere.waitingPod(
            "shop-1", elsewhere.replicaSet("shop-a", "shop:1", 1), "shop", "shop:1");
    try (var caller = ask(elsewhere.token(pod, Vocabulary.AUDIENCE))) {
      assertEquals(200, caller.status());
      assertTrue(caller.line().contains("MigratorDeleted"), "it has no Migrator of this name");
    }
  }

  @Test
  void aTokenThatComesAgainIsReviewedOnce() throws Exception {
    cluster.migratorStatus("shop", MIGRATED);
    var token = token(pod("shop-1"));
    assertEquals(200, status(token));
    var reviews = CALLS.count("POST", "/tokenreviews");
    assertEquals(200, status(token));
    assertEquals(200, status(token));
    assertEquals(reviews, CALLS.count("POST", "/tokenreviews"));
  }

  @Test
  void aHeadOfAMebibyteIs431() throws Exception {
    try (var caller = new Caller(gate.port())) {
      caller.send("GET /v1/migrators/shop/wait HTTP/1.1\r\nHost: g\r\nX-Big: ");
      caller.sendAsFarAsRead("x".repeat(1024 * 1024));
      assertEquals(431, caller.status());
    }
  }

  @Test
  void whoDoesNotReadIsHungUpOn() throws Exception {
    var caller = new Caller(gate.port(), 2048);
    try (caller) {
      caller.ask("shop", token(pod("shop-1")));
      await().until(() -> gate.gate.waiting() == 1);
      await().atMost(Duration.ofSeconds(60)).until(() -> gate.gate.waiting() == 0);
    }
  }

  @Test
  void whoIsGoneIsNoticed() throws Exception {
    var caller = ask(token(pod("shop-1")));
    assertEquals(200, caller.status());
    await().until(() -> gate.gate.waiting() == 1);
    caller.close();
    await().until(() -> gate.gate.waiting() == 0);
  }

  @Test
  void whoTricklesHisRequestIsHungUpOn() throws Exception {
    var present = gate.doorkeeper.present();
    try (var mute = new Socket(InetAddress.getLoopbackAddress(), gate.port());
        var trickle = new Caller(gate.port());
        var body = new Caller(gate.port())) {
      mute.setSoTimeout(20_000);
      body.send("GET /v1/migrators/shop/wait HTTP/1.1\r\nHost: g\r\nContent-Length: 1000\r\n\r\n");
      trickle.send("GET /v1/migrators/shop/wait HTTP/1.1\r\n");
      assertThrows(
          IOException.class,
          () -> {
            while (true) {
              trickle.send("X-A: b\r\n");
              Thread.sleep(50);
            }
          });
      assertEquals(-1, mute.getInputStream().read());
      assertEquals(401, body.status());
    }
    await().until(() -> gate.doorkeeper.present() <= present);
  }

  @Test
  void whenTheReplicaEndsTheWaiterIsToldToComeAgain() throws Exception {
    try (var other = new RunningGate(kube, CALLS, Map.of());
        var caller = new Caller(other.port())) {
      caller.ask("shop", token(pod("shop-1")));
      assertEquals(200, caller.status());
      assertTrue(caller.line().contains("MigrationsQueued"));
      other.gate.drain();
      assertEquals("{\"type\":\"reconnect\"}", caller.line());
      assertEquals("", caller.line(), "and nothing more");
      try (var next = new Caller(other.port())) {
        next.ask("shop", token(pod("shop-2")));
        assertEquals(503, next.status());
      }
    }
  }

  @Test
  void aWaitThatLastsTooLongIsBegunAnew() throws Exception {
    try (var other =
            new RunningGate(
                kube, CALLS, Map.of("gate.longest-wait", "PT1S", "gate.heartbeat", "PT0.1S"));
        var caller = new Caller(other.port())) {
      caller.ask("shop", token(pod("shop-1")));
      assertEquals(200, caller.status());
      var line = caller.line();
      while (!line.contains("reconnect")) {
        assertTrue(line.contains("waiting") || line.contains("heartbeat"), line);
        line = caller.line();
      }
    }
  }

  private JsonObject pod(String name) throws Exception {
    return cluster.waitingPod(name, replicaSet, "shop", "shop:1");
  }

  private String token(JsonObject pod) throws Exception {
    return cluster.token(pod, Vocabulary.AUDIENCE);
  }

  private String unbound() throws Exception {
    return requested("\"boundObjectRef\":null");
  }

  /** For our audience. */
  private String requested(String member) throws Exception {
    return cluster
        .call(
            "POST",
            "/api/v1/namespaces/%s/serviceaccounts/default/token".formatted(cluster.namespace),
            "{\"spec\":{\"audiences\":[\"%s\"],%s}}".formatted(Vocabulary.AUDIENCE, member))
        .getAsJsonObject("status")
        .get("token")
        .getAsString();
  }

  private static Caller ask(String token) throws Exception {
    var caller = new Caller(gate.port());
    caller.ask("shop", token);
    return caller;
  }

  /** The status of the answer; only 200 brings a release, which is waited for. */
  private static int status(String token) throws Exception {
    try (var caller = ask(token)) {
      var status = caller.status();
      var line = caller.line();
      while (status == 200 && !line.equals(Waiters.RELEASED)) {
        assertFalse(line.isEmpty(), "ended without a release");
        line = caller.line();
      }
      assertEquals(status == 200, line.equals(Waiters.RELEASED), line);
      return status;
    }
  }
}
