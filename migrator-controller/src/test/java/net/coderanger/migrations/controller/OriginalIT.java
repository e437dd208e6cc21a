package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.controller.shell.Api;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * We take the place of the Go original: its CRD is replaced by ours, its Migrators stay with their
 * status, its last Job may still run.
 */
class OriginalIT {
  /**
   * With the original's fields and rules as far as they could matter: spec.selector is required.
   */
  private static final String ORIGINAL_CRD =
      """
      {"metadata":{"name":"migrators.migrations.coderanger.net"},
       "spec":{"group":"migrations.coderanger.net","scope":"Namespaced",
        "names":{"kind":"Migrator","listKind":"MigratorList","plural":"migrators","singular":"migrator"},
        "versions":[{"name":"v1beta1","served":true,"storage":true,"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object","properties":{
         "spec":{"type":"object","required":["selector"],"properties":{
          "selector":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
          "templateSelector":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
          "command":{"type":"array","items":{"type":"string"}},"args":{"type":"array","items":{"type":"string"}},
          "image":{"type":"string"},"container":{"type":"string"},
          "labels":{"type":"object","additionalProperties":{"type":"string"}},
          "annotations":{"type":"object","additionalProperties":{"type":"string"}}}},
         "status":{"type":"object","properties":{"lastSuccessfulMigration":{"type":"string"},
          "conditions":{"type":"array","items":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}}}}]}}
      """;

  private static final String STATUS =
      """
      {"status":{"lastSuccessfulMigration":"shop:1","conditions":[{"type":"Ready","status":"True","reason":"MigrationsReady",
        "message":"ok","observedGeneration":1,"lastTransitionTime":"2025-01-01T00:00:00Z"}]}}
      """;

  private static KubeApi kube;
  private static Cluster settled;
  private static Cluster busy;
  private static RunningController controller;

  @BeforeAll
  static void ourCrdReplacesTheOriginals() throws Exception {
    kube = KubeApi.bare();
    settled = new Cluster(kube, "settled");
    settled.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", ORIGINAL_CRD);
    busy = new Cluster(kube, "busy");
    for (var cluster : List.of(settled, busy)) {
      await()
          .ignoreExceptions()
          .until(
              () ->
                  cluster.migrator(
                          "shop",
                          "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}},\"labels\":{\"a\":\"b\"}}")
                      != null);
      cluster.call(
          "PATCH",
          "/apis/migrations.coderanger.net/v1beta1/namespaces/%s/migrators/shop/status"
              .formatted(cluster.namespace),
          STATUS);
    }
    kube.applyCrd();
  }

  @AfterAll
  static void stop() {
    controller.close();
    kube.close();
  }

  @Test
  void noMigrationRunsAgainAndNoneBesideTheOriginals() throws Exception {
    var old = settled.replicaSet("shop-a", "shop:1", 1);
    settled.waitingPod("shop-1", old, "shop", "shop:1");
    busy.waitingPod("shop-2", busy.replicaSet("shop-b", "shop:2", 2), "shop", "shop:2");
    var theirs =
        busy.create(
            "batch/v1",
            "jobs",
            """
            {"metadata":{"name":"shop-migrations","ownerReferences":[%s]},
             "spec":{"template":{"metadata":{"labels":{"migrations":"shop"}},
              "spec":{"restartPolicy":"Never","containers":[{"name":"migrations","image":"shop:2"}]}}}}
            """
                .formatted(
                    Cluster.owner(
                        "migrations.coderanger.net/v1beta1",
                        "Migrator",
                        busy.getMigrator("shop"))));
    controller = new RunningController(kube, Api.Observer.NONE);

    await().until(() -> settled.reason("shop").equals("MigrationsUpToDate"));
    assertEquals(0, settled.jobs().size());
    var status = settled.getMigrator("shop").getAsJsonObject("status");
    assertEquals("shop:1", status.get("lastSuccessfulMigration").getAsString());
    settled.waitingPod("shop-2", settled.replicaSet("shop-b", "shop:2", 2), "shop", "shop:2");
    settled.newJob();

    await()
        .until(
            () ->
                busy.ready("shop")
                    .filter(
                        ready ->
                            ready
                                .get("message")
                                .getAsString()
                                .contains(
                                    "Job shop-migrations of an earlier attempt has not ended"))
                    .isPresent());
    assertEquals(1, busy.jobs().size());
    busy.endJob(theirs, true);
    busy.newJob("shop-migrations");
  }
}
