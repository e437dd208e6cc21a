package net.coderanger.migrations.kube;

import static net.coderanger.migrations.kube.TlsClient.request;
import static net.coderanger.migrations.kube.TlsClient.serve;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.apis.CoreV1Api;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import io.kubernetes.client.openapi.models.V1Secret;
import net.coderanger.migrations.api.KubeApi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Replicas of a service on a real API server. */
@Execution(ExecutionMode.CONCURRENT) // each has a Secret of its own
class SharedSecretIT {
  private static final String NAME = "hook.default.svc";
  private static final Duration POLL = Duration.ofMillis(200);

  private static KubeApi kube;
  private static ApiClient client;

  @BeforeAll
  static void start() {
    kube = KubeApi.bare();
    client = kube.client();
  }

  @AfterAll
  static void stop() {
    kube.close();
  }

  @Test
  void replicasThatStartAtOnceAgreeOnOneCa() throws Exception {
    var settings = settings("race", Duration.ofDays(7), Duration.ofDays(3650));
    try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
      var starts =
          Stream.generate(() -> pool.submit(() -> ServingTls.start(settings, client)))
              .limit(8)
              .toList();
      var bundles = new HashSet<String>();
      for (var start : starts) {
        var serving = start.get();
        var server = serve(serving);
        request(server.port(), NAME, serving.caBundle());
        server.stop();
        bundles.add(serving.caBundle());
        assertEquals(Optional.empty(), serving.fault());
      }
      assertEquals(1, bundles.size());
    }
    var secret = read("race");
    assertEquals("kubernetes.io/tls", secret.getType());
    assertEquals(Set.of("tls.crt", "tls.key", "ca.crt", "ca.key"), secret.getData().keySet());
  }

  @Test
  void aGarbledSecretIsRepairedAndTheLastGoodCertificateServesMeanwhile() throws Exception {
    var settings = settings("garbled", Duration.ofDays(7), Duration.ofDays(3650));
    try (var first = ServingTls.start(settings, client);
        var second = ServingTls.start(settings, client)) {
      var bundle = first.caBundle();
      var one = serve(first);
      var two = serve(second);
      first.reload(one);
      second.reload(two);
      for (var garbage :
          List.of(
              Map.of("tls.crt", "garbage"),
              Map.of("tls.key", "garbage"),
              Map.of("ca.crt", "garbage"),
              Map.of("ca.key", "garbage"),
              Map.of("tls.crt", "", "tls.key", "", "ca.crt", "", "ca.key", ""))) {
        var before = read("garbled");
        garbage.forEach((key, value) -> before.getData().put(key, value.getBytes()));
        var garbled = replace(before);
        await()
            .atMost(Duration.ofSeconds(20))
            .untilAsserted(
                () -> {
                  request(one.port(), NAME, bundle);
                  request(two.port(), NAME, bundle);
                  var now = read("garbled");
                  assertNotEquals(
                      garbled.getMetadata().getResourceVersion(),
                      now.getMetadata().getResourceVersion());
                  var stored = StoredCertificates.parse(now.getData());
                  assertEquals(List.of(), stored.damage());
                  assertTrue(stored.ca().orElseThrow().key().isPresent());
                });
        assertEquals(bundle, first.caBundle(), () -> "same CA after " + garbage);
      }
      one.stop();
      two.stop();
    }
  }

  @Test
  void aDeletedSecretGivesANewCaThatIsPublishedBesideTheOldOne() throws Exception {
    var settings = settings("deleted", Duration.ofDays(7), Duration.ofDays(3650));
    try (var serving = ServingTls.start(settings, client)) {
      var bundle = serving.caBundle();
      var server = serve(serving);
      serving.reload(server);
      var bundles = new CopyOnWriteArrayList<String>();
      serving.onCaChange(
          told -> {
            assertDoesNotThrow(() -> request(server.port(), NAME, bundle), "old CA at publication");
            bundles.add(told);
          });
      new CoreV1Api(client).deleteNamespacedSecret("deleted", "default").execute();
      await().atMost(Duration.ofSeconds(20)).until(() -> bundles.size() == 2);
      assertTrue(bundles.getLast().endsWith(bundle), "the old CA is still told");
      var fresh = bundles.getLast().substring(0, bundles.getLast().length() - bundle.length());
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(
              () -> assertDoesNotThrow(() -> request(server.port(), NAME, fresh), "new CA serves"));
      server.stop();
    }
  }

  @Test
  void foreignKeysAndLabelsOfTheSecretStay() throws Exception {
    new CoreV1Api(client)
        .createNamespacedSecret(
            "default",
            new V1Secret()
                .metadata(new V1ObjectMeta().name("ours").labels(Map.of("team", "a")))
                .data(Map.of("note", "x".getBytes())))
        .execute();
    ServingTls.start(settings("ours", Duration.ofDays(7), Duration.ofDays(3650)), client).close();
    var secret = read("ours");
    assertEquals("Opaque", secret.getType());
    assertEquals(Map.of("team", "a"), secret.getMetadata().getLabels());
    assertArrayEquals("x".getBytes(), secret.getData().get("note"));
    assertTrue(secret.getData().containsKey("tls.crt"));
  }

  @Test
  void anImmutableSecretIsAFaultWhileItsCertificateServes() throws Exception {
    var settings = settings("immutable", Duration.ofSeconds(4), Duration.ofDays(1));
    try (var serving = ServingTls.start(settings, client)) {
      var server = serve(serving);
      serving.reload(server);
      replace(read("immutable").immutable(true));
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> serving.fault().filter(it -> it.contains("immutable")).isPresent());
      server.stop();
    }
  }

  /** Leaves live 6 s, CAs 24 s: in 30 s many leaves and at least one CA come and go. */
  @Test
  void clientsNoticeNoRotation() throws Exception {
    var settings = settings("rotated", Duration.ofSeconds(6), Duration.ofSeconds(24));
    var failures = new ConcurrentLinkedQueue<Exception>();
    var leaves = ConcurrentHashMap.<BigInteger>newKeySet();
    var requests = new AtomicInteger();
    var bundles = new CopyOnWriteArrayList<String>();
    try (var first = ServingTls.start(settings, client);
        var second = ServingTls.start(settings, client);
        var pool = Executors.newVirtualThreadPerTaskExecutor()) {
      var servers = List.of(serve(first), serve(second));
      first.onCaChange(bundles::add);
      first.reload(servers.getFirst());
      second.reload(servers.getLast());
      var open = TlsClient.connect(servers.getFirst().port(), NAME, first.caBundle());
      var end = Instant.now().plusSeconds(30);
      for (var i = 0; i < 8; i++) {
        var server = servers.get(i % 2);
        pool.submit(
            () -> {
              while (Instant.now().isBefore(end)) {
                try {
                  // What the first replica has told, for the second's server too.
                  leaves.add(request(server.port(), NAME, bundles.getLast()).getSerialNumber());
                  requests.incrementAndGet();
                } catch (Exception e) {
                  failures.add(e);
                }
                Thread.sleep(20);
              }
              return null;
            });
      }
      while (Instant.now().isBefore(end)) {
        request(open); // a connection of the first hour stays
        Thread.sleep(100);
      }
      pool.shutdown();
      assertTrue(pool.awaitTermination(10, TimeUnit.SECONDS));
      open.close();
      servers.forEach(server -> server.stop());
    }
    assertEquals(List.of(), List.copyOf(failures));
    assertTrue(requests.get() > 100, () -> requests + " requests");
    assertTrue(leaves.size() >= 5, () -> leaves.size() + " leaves");
    assertTrue(bundles.size() >= 4, () -> "published, switched, forgotten: " + bundles.size());
  }

  /** As when tls.leaf-lifetime and tls.poll are raised while a leaf of before is in the Secret. */
  @Test
  void aShortLeafOfOtherSettingsIsRenewedInTime() throws Exception {
    ServingTls.start(settings("short", Duration.ofSeconds(12), Duration.ofDays(3650)), client)
        .close();
    var settings =
        settings("short", Duration.ofDays(7), Duration.ofDays(3650), Duration.ofHours(1));
    try (var serving = ServingTls.start(settings, client)) {
      var server = serve(serving);
      serving.reload(server);
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> serving.notAfter().isAfter(Instant.now().plus(Duration.ofDays(6))));
      server.stop();
    }
  }

  private static TlsSettings settings(String secret, Duration leaf, Duration ca) {
    return settings(secret, leaf, ca, POLL);
  }

  private static TlsSettings settings(String secret, Duration leaf, Duration ca, Duration poll) {
    return new TlsSettings(
        TlsSettings.Mode.SELF_MANAGED,
        Path.of("/none"),
        "default",
        secret,
        List.of("hook", "hook.default", NAME),
        poll,
        leaf,
        ca);
  }

  private static V1Secret read(String name) throws ApiException {
    return new CoreV1Api(client).readNamespacedSecret(name, "default").execute();
  }

  private static V1Secret replace(V1Secret secret) throws ApiException {
    return new CoreV1Api(client)
        .replaceNamespacedSecret(secret.getMetadata().getName(), "default", secret)
        .execute();
  }
}
