package net.coderanger.migrations.injector.shell;

import static net.coderanger.migrations.injector.shell.ClusterUnderTest.must;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.service.registry.Services;
import io.helidon.webserver.WebServer;
import io.kubernetes.client.custom.V1Patch;
import io.kubernetes.client.util.generic.KubernetesApiResponse;
import io.kubernetes.client.util.generic.dynamic.DynamicKubernetesObject;
import io.kubernetes.client.util.generic.options.CreateOptions;
import net.coderanger.migrations.kube.ServingTls;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The injector, called by a real API server, with all its admission. */
class InjectorIT {
  private static final int PODS = 200;

  private static final String SHOP = "shop";
  private static final String REQUIRED =
      "'annotations':{'migrations.coderanger.net/required':'true'},";
  private static final String API_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount";

  private static ClusterUnderTest cluster;
  private static WebServer server;
  private static LiveCluster live;

  @BeforeAll
  static void start() throws Exception {
    cluster = new ClusterUnderTest();
    cluster.namespace("migrations-operator", "{}");
    cluster.namespace(SHOP, "{'pod-security.kubernetes.io/enforce':'restricted'}");
    cluster.quota(SHOP);
    cluster.gate("migrations-operator", TestCertificate.pem());
    cluster.migrator(SHOP, "db", "shop");

    var tls = TestCertificate.directory();
    var config =
        Config.create(
            ConfigSources.create(
                Map.of(
                    "server.port", "0",
                    "server.sockets.0.port", "0",
                    "tls.mode", "files",
                    "tls.directory", tls.toString())),
            ConfigSources.classpath("application.yaml"));
    var settings = InjectorSettings.from(config);
    live = LiveCluster.watch(settings, cluster.watches());
    var metrics = new AdmissionMetrics(Services.get(MeterRegistry.class));
    server =
        new InjectorServer(settings, live, metrics, new Lifecycle(Duration.ZERO))
            .configure(WebServer.builder(), config, ServingTls.start(settings.tls(), null).tls())
            .build()
            .start();
    live.awaitSync();
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> live.gate().flatMap(it -> it.address()).isPresent());
    new WarmUp(settings.waiter(), settings.namespace()).run(server.port());
    cluster.webhook("zz-test", server.port(), Files.readString(tls.resolve("ca.crt")));
    // The API server reads its webhook configurations with a delay.
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> initNames(dryRun(pod("first", "", "", ""))).contains("migrate-wait-db"));
  }

  @AfterAll
  static void stop() {
    server.stop();
    cluster.close();
  }

  @Test
  void aRestrictedPodUnderQuotaAndLimitRangeWaitsLast() {
    var setup = "'initContainers':[" + container("setup") + "],";
    var pod = must(create(pod("restricted", REQUIRED, setup, "")));
    assertEquals(List.of("setup", "migrate-wait-db"), initNames(pod));
    var waiter = initContainer(pod, "migrate-wait-db");
    assertEquals("FallbackToLogsOnError", waiter.get("terminationMessagePolicy").getAsString());
  }

  @Test
  void theWaiterHasOurTokenAndNotTheApiToken() {
    var pod = must(create(pod("token", "", "", "")));
    var mounts = mountsAt(initContainer(pod, "migrate-wait-db"));
    assertEquals(
        Map.of(API_TOKEN, "migrate-wait-token", "/run/migrations", "migrate-wait-marker"), mounts);
    // That the admission is on shows in the other container.
    var main = spec(pod).getAsJsonArray("containers").get(0).getAsJsonObject();
    assertTrue(mountsAt(main).get(API_TOKEN).startsWith("kube-api-access-"), main::toString);
  }

  @Test
  void labelsAndAnnotationsOfAGatedPodCanBeChanged() {
    must(create(pod("labelled", "", "", "")));
    var patch = "{'metadata':{'labels':{'a':'b','app':null},'annotations':{'c':'d'}}}";
    var pod = must(cluster.patch("", "v1", "pods", SHOP, "labelled", patch));
    assertEquals(List.of("migrate-wait-db"), initNames(pod));
  }

  @Test
  void requiredRefusesAPodThatNobodySelects() {
    var pod = pod("stray", REQUIRED, "", "").replace("'app':'shop'", "'app':'other'");
    var answer = create(pod);
    assertFalse(answer.isSuccess());
    var message = answer.getStatus().getMessage();
    assertTrue(
        message.contains("no migrators found matching pod stray in namespace shop"), message);
  }

  @Test
  void aPodThatNobodySelectsStarts() {
    var pod = pod("free", "", "", "").replace("'app':'shop'", "'app':'other'");
    assertEquals(List.of(), initNames(must(create(pod))));
  }

  @Test
  void aCopyOfAGatedPodIsGatedOnce() {
    var original = must(create(pod("original", "", "", "")));
    var copy = new JsonObject();
    copy.addProperty("apiVersion", "v1");
    copy.addProperty("kind", "Pod");
    copy.add(
        "metadata", JsonParser.parseString("{\"name\":\"copy\",\"labels\":{\"app\":\"shop\"}}"));
    copy.add("spec", spec(original).deepCopy());
    var created = must(cluster.create("", "v1", "pods", SHOP, copy, new CreateOptions()));
    assertEquals(List.of("migrate-wait-db"), initNames(created));
    assertEquals(
        mountsAt(initContainer(original, "migrate-wait-db")),
        mountsAt(initContainer(created, "migrate-wait-db")));
    assertEquals(names(spec(original), "volumes"), names(spec(created), "volumes"));
  }

  @Test
  void aCopyWithAStaleCaIsGivenTodaysOne() {
    var json = must(create(pod("stale", "", "", ""))).getRaw().toString();
    var stale = JsonParser.parseString(json.replace("BEGIN CERTIFICATE", "BEGIN STALE"));
    var copy = stale.getAsJsonObject();
    copy.add(
        "metadata", JsonParser.parseString("{\"name\":\"fresh\",\"labels\":{\"app\":\"shop\"}}"));
    copy.remove("status");
    var created = must(cluster.create("", "v1", "pods", SHOP, copy, new CreateOptions()));
    assertEquals(List.of("migrate-wait-db"), initNames(created));
    assertFalse(created.getRaw().toString().contains("BEGIN STALE"));
  }

  @Test
  void aSpoofedWaiterIsReplaced() {
    var spoof = "'initContainers':[" + container("migrate-wait-db") + "],";
    var pod = must(create(pod("spoofed", "", spoof, "")));
    assertEquals(List.of("migrate-wait-db"), initNames(pod));
    assertTrue(
        initContainer(pod, "migrate-wait-db").get("image").getAsString().contains("/waiter:"));
  }

  @Test
  void aHostNetworkPodIsToldTheServicesAddress() {
    cluster.namespace("infra", "{}");
    cluster.migrator("infra", "agent", "shop");
    await().atMost(Duration.ofSeconds(10)).until(() -> !live.migrators("infra").isEmpty());
    var json = pod("host", "", "", "").replace("'containers'", "'hostNetwork':true,'containers'");
    var pod = must(cluster.create("", "v1", "pods", "infra", json));
    var environment = initContainer(pod, "migrate-wait-agent").get("env").toString();
    assertTrue(
        environment.contains(live.gate().orElseThrow().address().orElseThrow()), environment);
  }

  @Test
  void aMigratorThatComesChangesAndGoesIsFollowed() {
    cluster.namespace("moving", "{}");
    assertEquals(List.of(), initNames(dryRunIn("moving")));
    cluster.migrator("moving", "m", "shop");
    await().atMost(Duration.ofSeconds(10)).until(() -> initNames(dryRunIn("moving")).size() == 1);
    var other = "{'spec':{'selector':{'matchLabels':{'app':'other'}}}}";
    must(cluster.patch("migrations.coderanger.net", "v1beta1", "migrators", "moving", "m", other));
    await().atMost(Duration.ofSeconds(10)).until(() -> initNames(dryRunIn("moving")).isEmpty());
    var all = "{'spec':{'selector':{'matchLabels':null}}}";
    must(cluster.patch("migrations.coderanger.net", "v1beta1", "migrators", "moving", "m", all));
    await().atMost(Duration.ofSeconds(10)).until(() -> initNames(dryRunIn("moving")).size() == 1);
    cluster.api("migrations.coderanger.net", "v1beta1", "migrators").delete("moving", "m");
    await().atMost(Duration.ofSeconds(10)).until(() -> initNames(dryRunIn("moving")).isEmpty());
  }

  @Test
  void theCaBundleIsKeptTrueAgainstForeignEdits() throws Exception {
    var group = "admissionregistration.k8s.io";
    var plural = "mutatingwebhookconfigurations";
    var foreign = TestCertificate.pem();
    // No pod of this test carries the label, since nobody answers there.
    cluster.webhook("zz-kept", 1, foreign);
    must(
        cluster
            .api(group, "v1", plural)
            .patch(
                "zz-kept",
                V1Patch.PATCH_FORMAT_JSON_PATCH,
                new V1Patch(
                    "[{\"op\":\"add\",\"path\":\"/webhooks/0/objectSelector\",\"value\":{\"matchLabels\":{\"none\":\"none\"}}}]")));
    var keeper = CaBundleKeeper.start("zz-kept", cluster.calls(), cluster.watches());
    var first = TestCertificate.pem();
    keeper.want(first);
    await().atMost(Duration.ofSeconds(10)).until(() -> cluster.caBundle("zz-kept").equals(first));
    var second = first + TestCertificate.pem();
    keeper.want(second);
    await().atMost(Duration.ofSeconds(10)).until(() -> cluster.caBundle("zz-kept").equals(second));
    var edit = Base64.getEncoder().encodeToString(foreign.getBytes());
    must(
        cluster
            .api(group, "v1", plural)
            .patch(
                "zz-kept",
                V1Patch.PATCH_FORMAT_JSON_PATCH,
                new V1Patch(
                    "[{\"op\":\"replace\",\"path\":\"/webhooks/0/clientConfig/caBundle\",\"value\":\"%s\"}]"
                        .formatted(edit))));
    await().atMost(Duration.ofSeconds(10)).until(() -> cluster.caBundle("zz-kept").equals(second));
  }

  @Test
  void theTimeItTakesIsSmallBesideTheThreeSecondsOfTheWebhook() {
    var plain = pod("plain", "", "", "").replace("'app':'shop'", "'app':'other'");
    var gated = latencies(pod("gated", "", "", ""));
    var untouched = latencies(plain);
    System.getLogger(InjectorIT.class.getName())
        .log(
            System.Logger.Level.INFO,
            "dry-run create, ms: gated p50 %.1f p99 %.1f, not selected p50 %.1f p99 %.1f"
                .formatted(gated[150], gated[297], untouched[150], untouched[297]));
    assertTrue(gated[297] < 1000);
  }

  @Test
  void whateverPodTheApiServerTakesItTakesWithTheWaiterToo() {
    cluster.namespace("fuzz", "{}");
    cluster.migrator("fuzz", "db", "shop");
    await()
        .until(() -> initNames(dryRun("fuzz", pod("dry", "", "", ""))).contains("migrate-wait-db"));
    var seed = System.nanoTime();
    var taken = 0;
    for (var i = 0; i < PODS; i++) {
      var own = seed + i;
      // The same pod twice: once as nobody selects it, once as the Migrator does.
      if (attempt("fuzz", new PlausiblePods(new Random(own)).pod("nobody")).isSuccess()) {
        taken++;
        var gated = attempt("fuzz", new PlausiblePods(new Random(own)).pod("shop"));
        assertTrue(gated.isSuccess(), () -> "seed %d: %s".formatted(own, gated.getStatus()));
        assertEquals("migrate-wait-db", initNames(gated.getObject()).getLast(), "seed " + own);
      }
    }
    assertTrue(taken > PODS / 4, taken + " pods were taken at all");
  }

  private static double[] latencies(String pod) {
    return IntStream.range(0, 300)
        .mapToDouble(
            _ -> {
              var start = System.nanoTime();
              dryRun(pod);
              return (System.nanoTime() - start) / 1e6;
            })
        .sorted()
        .toArray();
  }

  /** A pod that restricted Pod Security and the quota let in. */
  private static String pod(String name, String metadata, String spec, String more) {
    return """
    {'metadata':{'name':'%s',%s'labels':{'app':'shop'}},
     'spec':{%s'securityContext':{'runAsNonRoot':true,'seccompProfile':{'type':'RuntimeDefault'}},
      'containers':[%s]%s}}
    """
        .formatted(name, metadata, spec, container("main"), more);
  }

  private static String container(String name) {
    return """
    {'name':'%s','image':'busybox','resources':{'requests':{'cpu':'50m','memory':'100Mi'},'limits':{'cpu':'60m','memory':'100Mi'}},
     'securityContext':{'allowPrivilegeEscalation':false,'capabilities':{'drop':['ALL']}}}
    """
        .formatted(name);
  }

  private static KubernetesApiResponse<DynamicKubernetesObject> create(String pod) {
    return cluster.create("", "v1", "pods", SHOP, pod);
  }

  private static DynamicKubernetesObject dryRun(String pod) {
    return dryRun(SHOP, pod);
  }

  private static DynamicKubernetesObject dryRunIn(String namespace) {
    return dryRun(namespace, pod("dry", "", "", ""));
  }

  private static DynamicKubernetesObject dryRun(String namespace, String pod) {
    return must(attempt(namespace, pod));
  }

  private static KubernetesApiResponse<DynamicKubernetesObject> attempt(
      String namespace, String pod) {
    var options = new CreateOptions();
    options.setDryRun("All");
    var object = JsonParser.parseString(pod.replace('\'', '"')).getAsJsonObject();
    object.addProperty("apiVersion", "v1");
    object.addProperty("kind", "Pod");
    return cluster.create("", "v1", "pods", namespace, object, options);
  }

  private static JsonObject spec(DynamicKubernetesObject pod) {
    return pod.getRaw().getAsJsonObject("spec");
  }

  private static List<String> initNames(DynamicKubernetesObject pod) {
    return names(spec(pod), "initContainers");
  }

  private static List<String> names(JsonObject spec, String key) {
    var array = spec.has(key) ? spec.getAsJsonArray(key) : new JsonArray();
    return array.asList().stream()
        .map(it -> it.getAsJsonObject().get("name").getAsString())
        .toList();
  }

  private static JsonObject initContainer(DynamicKubernetesObject pod, String name) {
    return spec(pod).getAsJsonArray("initContainers").asList().stream()
        .map(it -> it.getAsJsonObject())
        .filter(it -> it.get("name").getAsString().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** Volumes by the paths that they are mounted at. */
  private static Map<String, String> mountsAt(JsonObject container) {
    return container.getAsJsonArray("volumeMounts").asList().stream()
        .map(it -> it.getAsJsonObject())
        .collect(
            Collectors.toMap(
                it -> it.get("mountPath").getAsString(), it -> it.get("name").getAsString()));
  }
}
