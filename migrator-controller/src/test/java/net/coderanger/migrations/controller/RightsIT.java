package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import net.coderanger.migrations.api.Audit;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.OverlayRights;
import net.coderanger.migrations.api.ServiceProcess;
import net.coderanger.migrations.api.StagedImage;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.controller.WorkloadKindsIT.Workload;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The program, run as its ServiceAccount with exactly the rules of deploy/, through everything that
 * it does: no request is forbidden, and no rule is there for nothing.
 */
class RightsIT {
  private static final String NAMESPACE = "migrations-operator";
  private static final String USER =
      "system:serviceaccount:migrations-operator:migrator-controller";

  /** The namespace of what is done without a right. */
  private static final String WITHOUT = "finalizers";

  private static final String SELECTOR = "\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}";

  private static KubeApi kube;
  private static Audit audit;
  private static OverlayRights rights;
  private static Cluster ours;
  private static StagedImage image;
  private static ServiceProcess process;

  @BeforeAll
  static void start() throws Exception {
    audit = new Audit();
    image = new StagedImage();
    var flags = new ArrayList<>(audit.flags());
    // As some clusters have it: whoever makes an object that blocks its owner's deletion must have
    // the right to the owner's finalizers.
    flags.add("--enable-admission-plugins=OwnerReferencesPermissionEnforcement");
    kube = KubeApi.withMigrators(flags.toArray(String[]::new));
    ours = new Cluster(kube, NAMESPACE);
    rights = new OverlayRights("default");
    rights.create(kube);
    process =
        ServiceProcess.of(
            image.command(),
            kube.kubeconfig(NAMESPACE, "migrator-controller"),
            Map.of(
                "TLS_POLL", "PT1S",
                "TLS_LEAF_LIFETIME", "PT8S",
                "TLS_CA_LIFETIME", "PT1H",
                "CONTROLLER_RETRY_PERIOD", "PT0.5S"));
  }

  @AfterAll
  static void stop() {
    process.close();
    kube.close();
  }

  @Test
  void withExactlyTheseRulesNothingIsForbiddenAndEachOfThemIsNeeded() throws Exception {
    aMigrationRunsFailsAndIsClearedAway();
    templatesOfAllKindsAreRead();
    aHinderedAttemptIsExplained();
    aClaimPinsTheMigration();
    aCertificateIsRenewedAndItsCaRepaired();

    var requests = audit.requestsOf(USER);
    assertEquals(
        List.of(),
        requests.stream()
            .filter(request -> request.code() == 403)
            .filter(request -> !request.namespace().equals(WITHOUT))
            // Kinds that others install: whoever does adds a rule, see controller-rbac.yaml.
            .filter(request -> !request.group().equals("example.com"))
            .toList(),
        "forbidden");
    var needed =
        rights.of("migrator-controller").stream()
            // No request of ours: what the admission plugin demands. The other test shows its need.
            .filter(right -> !right.resource().equals("migrators/finalizers"))
            .toList();
    assertEquals(List.of(), OverlayRights.unused(needed, requests), "unused");
  }

  @Test
  void startsFromItsArchive() throws IOException {
    image.assertUsed();
  }

  private void aMigrationRunsFailsAndIsClearedAway() throws Exception {
    var cluster = new Cluster(kube, "run");
    cluster.migrator(
        "shop", "{%s,\"backoffLimit\":0,\"failedJobsHistoryLimit\":0}".formatted(SELECTOR));
    var pod =
        cluster.waitingPod("shop-1", cluster.replicaSet("shop-a", "shop:1", 1), "shop", "shop:1");
    var first = cluster.newJob();
    cluster.endPod(cluster.startPodOf(first), 1, "no");
    cluster.endJob(first, false);
    await().until(() -> cluster.reason("shop").equals("MigrationsFailed"));
    cluster.patchMigrator("shop", "{\"spec\":{\"args\":[\"fixed\"]}}");
    var second = cluster.newJob(Cluster.name(first));
    cluster.endPod(cluster.startPodOf(second), 0, "");
    cluster.endJob(second, true);
    await().until(() -> cluster.reason("shop").equals("MigrationsUpToDate"));
    await().until(() -> process.gate("shop", cluster.token(pod, Vocabulary.AUDIENCE)) == 200);
  }

  private void templatesOfAllKindsAreRead() throws Exception {
    var kinds = new Cluster(kube, "kinds");
    kinds.kind("example.com", "ships", "Ship");
    kinds.kind("argoproj.io", "rollouts", "Rollout");
    for (var workload : Workload.values()) {
      var cluster = workload.cluster(kube);
      cluster.migrator("shop", "{%s}".formatted(SELECTOR));
      workload.waitingPod(cluster);
      cluster.newJob();
    }
    // The cache keeps no template of a ReplicaSet that has been scaled down.
    var cluster = new Cluster(kube, "scaled-down");
    cluster.migrator("shop", "{%s}".formatted(SELECTOR));
    var replicaSet = cluster.replicaSet("shop-a", "shop:1", 1);
    cluster.call(
        "PATCH",
        "/apis/apps/v1/namespaces/scaled-down/replicasets/shop-a",
        "{\"spec\":{\"replicas\":0}}");
    cluster.waitingPod("shop-1", replicaSet, "shop", "shop:1");
    cluster.newJob();
  }

  private void aHinderedAttemptIsExplained() throws Exception {
    var cluster = new Cluster(kube, "hindered");
    cluster.migrator("shop", "{%s}".formatted(SELECTOR));
    cluster.waitingPod("shop-1", cluster.replicaSet("shop-a", "shop:1", 1), "shop", "shop:1");
    var job = cluster.newJob();
    cluster.create(
        "v1",
        "events",
        """
        {"metadata":{"name":"e"},"type":"Warning","reason":"FailedCreate","message":"no ServiceAccount",
         "involvedObject":{"kind":"Job","namespace":"hindered","name":"%s","uid":"%s"}}
        """
            .formatted(
                Cluster.name(job), job.getAsJsonObject("metadata").get("uid").getAsString()));
    await()
        .until(
            () ->
                cluster
                    .ready("shop")
                    .orElseThrow()
                    .get("message")
                    .getAsString()
                    .contains("no ServiceAccount"));
  }

  private void aClaimPinsTheMigration() throws Exception {
    var cluster = new Cluster(kube, "claims");
    cluster.create(
        "v1",
        "persistentvolumeclaims",
        """
        {"metadata":{"name":"data"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Mi"}}}}
        """);
    cluster.migrator("shop", "{%s}".formatted(SELECTOR));
    cluster.create(
        "v1",
        "pods",
        """
        {"metadata":{"name":"shop","labels":{"app":"shop"}},
         "spec":{"serviceAccountName":"default","nodeName":"n1","initContainers":[{"name":"migrate-wait-shop","image":"w"}],
          "containers":[{"name":"web","image":"shop:1","volumeMounts":[{"name":"data","mountPath":"/data"}]}],
          "volumes":[{"name":"data","persistentVolumeClaim":{"claimName":"data"}}]}}
        """);
    assertTrue(cluster.newJob().toString().contains("n1"));
  }

  private void aCertificateIsRenewedAndItsCaRepaired() throws Exception {
    var map = "/api/v1/namespaces/migrations-operator/configmaps/migrator-controller-ca";
    ours.call("PATCH", map, "{\"data\":{\"ca.crt\":\"edited\"}}");
    await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                ours.call("GET", map, null).toString().contains("BEGIN CERTIFICATE")
                    && audit.requestsOf(USER).stream()
                        .anyMatch(
                            request ->
                                request.resource().equals("secrets")
                                    && request.verb().equals("update")));
    assertEquals(0, process.metric("migrations_controller_certificate_fault"));
    assertEquals(0, process.metric("migrations_controller_connections_cut_total"));
    var end = (long) process.metric("migrations_controller_certificate_not_after_seconds");
    assertTrue(end > Instant.now().minusSeconds(60).getEpochSecond(), () -> "it ends at " + end);
  }

  @Test
  void withoutTheRightToFinalizersTheApiServerRefusesJobsWhichIsTold() throws Exception {
    var path = "/apis/rbac.authorization.k8s.io/v1/clusterroles/migrations-operator-controller";
    var role = ours.call("GET", path, null);
    var rules = role.getAsJsonArray("rules").deepCopy();
    var others = new com.google.gson.JsonArray();
    rules.asList().stream()
        .map(JsonElement::getAsJsonObject)
        .filter(rule -> !rule.getAsJsonArray("resources").toString().contains("finalizers"))
        .forEach(others::add);
    assertEquals(rules.size() - 1, others.size());
    var patch = new JsonObject();
    patch.add("rules", others);
    ours.call("PATCH", path, patch.toString());
    try {
      var cluster = new Cluster(kube, WITHOUT);
      cluster.migrator("shop", "{%s}".formatted(SELECTOR));
      cluster.waitingPod("shop-1", cluster.replicaSet("shop-a", "shop:1", 1), "shop", "shop:1");
      await()
          .atMost(Duration.ofSeconds(20))
          .until(
              () ->
                  cluster
                      .ready("shop")
                      .filter(
                          ready ->
                              ready
                                  .get("message")
                                  .getAsString()
                                  .contains("cannot set blockOwnerDeletion"))
                      .isPresent());
    } finally {
      patch.add("rules", rules);
      ours.call("PATCH", path, patch.toString());
    }
  }
}
