package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import net.coderanger.migrations.api.Audit;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.OverlayRights;
import net.coderanger.migrations.api.ServiceProcess;
import net.coderanger.migrations.api.StagedImage;
import net.coderanger.migrations.api.Vocabulary;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The program, restricted to namespaces, as its ServiceAccount with exactly the rules of
 * deploy/namespaced.
 */
class NamespacedIT {
  private static final String USER =
      "system:serviceaccount:migrations-operator:migrator-controller";
  private static final String MIGRATOR = "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}}";

  /** In the list, but not in the cluster when the program starts. */
  private static final String LATER = "later";

  private static KubeApi kube;
  private static Audit audit;
  private static OverlayRights rights;
  private static Cluster shop;
  private static ServiceProcess process;

  @BeforeAll
  static void start() throws Exception {
    audit = new Audit();
    kube = KubeApi.withMigrators(audit.flags().toArray(String[]::new));
    new Cluster(kube, "migrations-operator");
    shop = new Cluster(kube, "shop");
    rights = new OverlayRights("namespaced");
    rights.create(kube);
    process =
        ServiceProcess.of(
            new StagedImage().command(),
            kube.kubeconfig("migrations-operator", "migrator-controller"),
            Map.of("KUBERNETES_NAMESPACES", "shop," + LATER, "CONTROLLER_RETRY_PERIOD", "PT0.5S"));
  }

  @AfterAll
  static void stop() {
    process.close();
    kube.close();
  }

  @Test
  void aListedNamespaceIsServedByRightsInItAloneAndAnotherIsLeftAlone() throws Exception {
    var other = new Cluster(kube, "other");
    other.migrator("shop", MIGRATOR);
    var stranger =
        other.waitingPod("shop-1", other.replicaSet("shop-a", "shop:1", 1), "shop", "shop:1");
    var pod = aMigrationRuns(shop);

    assertEquals(200, process.gate("shop", shop.token(pod, Vocabulary.AUDIENCE)));
    var answer = process.askGate("shop", other.token(stranger, Vocabulary.AUDIENCE));
    assertEquals(403, answer.statusCode());
    assertTrue(
        answer.body().startsWith("namespace other is not among those that this operator serves"),
        answer::body);
    assertFalse(other.getMigrator("shop").has("status"));
    assertEquals(0, other.jobs().size());
    var requests = audit.requestsOf(USER);
    assertEquals(
        List.of(),
        requests.stream()
            .filter(request -> request.code() == 403)
            .filter(request -> !request.namespace().equals(LATER))
            .toList(),
        "forbidden");
    // What it asked for outside of its own and the listed namespaces.
    assertEquals(
        Set.of("tokenreviews"),
        requests.stream()
            .filter(it -> !Set.of("shop", LATER, "migrations-operator").contains(it.namespace()))
            .map(Audit.Request::resource)
            .collect(Collectors.toSet()));
    assertEquals(
        List.of("tokenreviews"),
        rights.of("migrator-controller").stream()
            .filter(right -> right.namespace().isEmpty())
            .map(OverlayRights.Right::resource)
            .toList());
  }

  @Test
  void aNamespaceThatComesLaterIsServedAsSoonAsTheRightsAreThere() throws Exception {
    assertEquals(1, refusedNamespaces());
    var later = new Cluster(kube, LATER);
    for (var kind : List.of("Role", "RoleBinding")) {
      var object = rights.object(kind, "migrations-operator-controller").deepCopy();
      object.getAsJsonObject("metadata").addProperty("namespace", LATER);
      later.create(
          "rbac.authorization.k8s.io/v1", kind.toLowerCase(Locale.ROOT) + "s", object.toString());
    }
    aMigrationRuns(later);
    assertEquals(0, refusedNamespaces());
    assertTrue(process.log().contains("pods of namespace later cannot be watched"));
    assertEquals(
        1,
        process.log().lines().filter(it -> it.contains("pods of namespace later cannot")).count());
  }

  private static com.google.gson.JsonObject aMigrationRuns(Cluster cluster) throws Exception {
    cluster.migrator("shop", MIGRATOR);
    var pod =
        cluster.waitingPod("shop-1", cluster.replicaSet("shop-a", "shop:1", 1), "shop", "shop:1");
    var job = cluster.newJob();
    cluster.endPod(cluster.startPodOf(job), 0, "");
    cluster.endJob(job, true);
    await().until(() -> cluster.reason("shop").equals("MigrationsUpToDate"));
    return pod;
  }

  private static int refusedNamespaces() throws Exception {
    return (int) process.metric("migrations_controller_namespaces_refused");
  }
}
