package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;
import module java.net.http;

import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.controller.shell.Api;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

@ResourceLock(SharedKube.LEASE)
class MigrationIT {
  private static final String SELECTOR = "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}";
  private static final String SPEC = SELECTOR + ",\"command\":[\"migrate\"]}";
  private static KubeApi kube;
  private static RunningController controller;

  @BeforeAll
  static void start() {
    kube = SharedKube.get();
    controller = new RunningController(kube, Api.Observer.NONE);
  }

  @AfterAll
  static void stop() {
    controller.close();
  }

  @Test
  void aWaitingPodIsMigratedForAndReleased() throws Exception {
    var cluster = new Cluster(kube, "released");
    cluster.migrator("shop", SPEC);
    var pod =
        cluster.waitingPod("shop-1", cluster.replicaSet("shop-a", "shop:1", 1), "shop", "shop:1");
    var answer = open("shop", cluster.token(pod, Vocabulary.AUDIENCE));
    assertEquals(200, answer.statusCode());
    var lines = answer.body().iterator();
    assertTrue(lines.next().contains("\"type\":\"waiting\""));

    var job = cluster.newJob();
    var spec = job.getAsJsonObject("spec").getAsJsonObject("template").getAsJsonObject("spec");
    var container = spec.getAsJsonArray("containers").get(0).getAsJsonObject();
    assertEquals("migrations", container.get("name").getAsString());
    assertEquals("[\"migrate\"]", container.get("command").toString());
    assertEquals("shop:1", container.get("image").getAsString());
    var migration = cluster.startPodOf(job);
    await().until(() -> cluster.reason("shop").equals("MigrationsRunning"));
    assertTrue(
        cluster.getMigrator("shop").getAsJsonObject("metadata").has("finalizers"),
        "a running migration is guarded");
    cluster.endPod(migration, 0, "");

    assertEquals("{\"type\":\"released\"}", last(lines));
    await().until(() -> cluster.reason("shop").equals("MigrationsUpToDate"));
    var migrator = cluster.getMigrator("shop");
    assertEquals(
        "shop:1", migrator.getAsJsonObject("status").get("lastSuccessfulMigration").getAsString());
    await()
        .untilAsserted(
            () ->
                assertFalse(
                    cluster.getMigrator("shop").getAsJsonObject("metadata").has("finalizers")));
    assertFalse(
        cluster.getMigrator("shop").getAsJsonObject("status").has("current"),
        "what is over is taken out of the status");
    assertEquals(1, cluster.jobs().size());
  }

  @Test
  void aFailedMigrationHoldsThePodsAndSaysWhyUntilItIsFixed() throws Exception {
    var cluster = new Cluster(kube, "failed");
    cluster.migrator("shop", SELECTOR + ",\"backoffLimit\":0}");
    var replicaSet = cluster.replicaSet("shop-a", "shop:1", 1);
    var pod = cluster.waitingPod("shop-1", replicaSet, "shop", "shop:1");
    var token = cluster.token(pod, Vocabulary.AUDIENCE);
    var first = cluster.newJob();
    cluster.endPod(
        cluster.startPodOf(first), 3, "no column \"x\" at postgres://shop:secret@db/shop");

    await().until(() -> cluster.reason("shop").equals("MigrationsFailed"));
    var message = cluster.ready("shop").orElseThrow().get("message").getAsString();
    assertTrue(message.contains("exit code 3"), message);
    assertTrue(message.contains("postgres://shop:***@db/shop"), message);
    await()
        .untilAsserted(
            () -> {
              assertTrue(
                  cluster.events("Migrator").toString().contains("MigrationsFailed"), "its event");
              assertTrue(
                  cluster.events("Deployment").toString().contains("MigrationsFailed"),
                  "the workload's event");
            });
    var lines = open("shop", token).body().iterator();
    var told = lines.next();
    assertTrue(told.contains("MigrationsFailed") && told.contains("exit code 3"), told);

    cluster.patchMigrator("shop", "{\"spec\":{\"args\":[\"fixed\"]}}");
    var second = cluster.newJob(Cluster.name(first));
    cluster.endPod(cluster.startPodOf(second), 0, "");
    assertEquals("{\"type\":\"released\"}", last(lines));
  }

  @Test
  void aFailedRunIsToldOncePerWorkloadHoweverManyOfItsPodsWait() throws Exception {
    var cluster = new Cluster(kube, "told-once");
    cluster.migrator("shop", SELECTOR + ",\"backoffLimit\":0}");
    var replicaSet = cluster.replicaSet("shop-a", "shop:1", 1);
    Parallel.make(
        Parallel.times(50),
        i -> Cluster.name(cluster.waitingPod("shop-" + i, replicaSet, "shop", "shop:1")));
    var first = cluster.newJob();
    cluster.endPod(cluster.startPodOf(first), 1, "no");
    await().until(() -> cluster.reason("shop").equals("MigrationsFailed"));
    await().until(() -> !cluster.events("Deployment").isEmpty());
    cluster.deletePod("shop-0"); // looked at again, and again after that
    await().until(() -> waitingPods(cluster) == 49);
    cluster.deletePod("shop-1");
    await().until(() -> waitingPods(cluster) == 48);

    cluster.patchMigrator("shop", "{\"spec\":{\"args\":[\"again\"]}}");
    cluster.endPod(cluster.startPodOf(cluster.newJob(Cluster.name(first))), 1, "no");
    await().until(() -> cluster.events("Deployment").size() == 2);
    cluster.deletePod("shop-2");
    await().until(() -> waitingPods(cluster) == 47);
    assertEquals(2, cluster.events("Deployment").size(), "one each run");
  }

  private static int waitingPods(Cluster cluster) throws Exception {
    return cluster.getMigrator("shop").getAsJsonObject("status").get("waitingPods").getAsInt();
  }

  @Test
  void onlyATokenOfOursThatIsBoundToALivePodIsServed() throws Exception {
    var cluster = new Cluster(kube, "tokens");
    cluster.migrator("shop", SPEC);
    var pod =
        cluster.waitingPod("shop-1", cluster.replicaSet("shop-a", "shop:1", 1), "shop", "shop:1");
    assertEquals(401, open("shop", "").statusCode());
    assertEquals(401, open("shop", "forged").statusCode());
    assertEquals(401, open("shop", cluster.token(pod, "other")).statusCode());
    var unbound =
        cluster
            .call(
                "POST",
                "/api/v1/namespaces/tokens/serviceaccounts/default/token",
                "{\"spec\":{\"audiences\":[\"%s\"]}}".formatted(Vocabulary.AUDIENCE))
            .getAsJsonObject("status")
            .get("token")
            .getAsString();
    assertEquals(403, open("shop", unbound).statusCode());
    var good = cluster.token(pod, Vocabulary.AUDIENCE);
    var lines = open("other", good).body().iterator();
    assertTrue(lines.next().contains("MigratorDeleted"));
  }

  private static HttpResponse<Stream<String>> open(String migrator, String token) throws Exception {
    var request =
        HttpRequest.newBuilder(controller.gate(migrator))
            .header("Authorization", "Bearer " + token)
            .build();
    return CLIENT.send(request, HttpResponse.BodyHandlers.ofLines());
  }

  private static String last(Iterator<String> lines) {
    var last = "";
    while (lines.hasNext()) {
      last = lines.next();
    }
    return last;
  }

  private static final HttpClient CLIENT = HttpClient.newHttpClient();
}
