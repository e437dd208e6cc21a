package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import org.junit.jupiter.api.Test;

/** The main job: one migration per new image, pods held until it has succeeded. */
class MainJobE2E {
  private final Lab lab = Lab.withOperator();

  @Test
  void sixReplicasRollFromOneImageToTheNextWithOneJobEach() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(Shop.UNTIL_TOLD, "\"successfulJobsHistoryLimit\":5");
      shop.deployment(6, Shop.image(1));
      shop.awaitWaiting(6, Shop.image(1));
      shop.letMigrationEnd();
      shop.awaitRunning(6, Shop.image(1));
      assertEquals(1, shop.jobs().size());
      shop.awaitReason("MigrationsUpToDate");

      shop.roll("shop", Shop.image(2));
      shop.awaitThat(
          "pods of the new image wait while old ones run",
          () ->
              shop.pods().stream().anyMatch(Shop::isInWaiter)
                  && shop.pods().stream().anyMatch(pod -> Shop.runs(pod, Shop.image(1))));
      shop.letMigrationEnd();
      shop.awaitRunning(6, Shop.image(2));
      assertEquals(
          List.of(Shop.image(1), Shop.image(2)),
          shop.jobs().stream().map(MainJobE2E::image).sorted().toList());
      assertTrue(shop.pods().stream().allMatch(pod -> Shop.restarts(pod) == 0), shop::describe);
      lab.kubectl(
          "",
          "-n",
          shop.namespace,
          "wait",
          "--for=jsonpath={.status.lastSuccessfulMigration}=" + Shop.image(2),
          "migrator/shop",
          "--timeout=30s");
      lab.kubectl(
          "",
          "-n",
          shop.namespace,
          "wait",
          "--for=condition=Ready",
          "migrator/shop",
          "--timeout=30s");
    }
  }

  @Test
  void aFailingMigrationHoldsThePodsAndSaysWhyAndAFixedImageGoesThrough() throws Exception {
    try (var shop = new Shop(lab)) {
      // The image decides: only the second one's migration works.
      shop.migrator(
          "echo \"cannot reach postgres://shop:hunter2@db/shop\"; exit 3", "\"backoffLimit\":0");
      shop.deployment(2, Shop.image(1));
      var message = shop.awaitReason("MigrationsFailed");
      assertTrue(message.contains("exit code 3"), message);
      assertTrue(message.contains("postgres://shop:***@db/shop"), message);
      assertEquals("True", shop.condition("Stalled", "status"));
      shop.awaitThat(
          "an event says it",
          () -> shop.events("Migrator").toString().contains("\"reason\":\"MigrationsFailed\""));
      shop.awaitThat(
          "an event on the workload says it",
          () -> shop.events("Deployment").toString().contains("\"reason\":\"MigrationsFailed\""));
      var pod = Shop.name(shop.pods().getFirst());
      shop.awaitThat(
          "the waiter's log says it",
          () -> lab.log(shop.namespace, pod, "migrate-wait-shop").contains("exit code 3"));
      shop.awaitWaiting(2, Shop.image(1));
      shop.awaitThat(
          "kubectl describe pod says it",
          () ->
              lab.kubectl("", "-n", shop.namespace, "describe", "pod", pod)
                  .contains("MigrationsFailed"));

      shop.patchMigrator("{\"spec\":{\"command\":[\"true\"]}}");
      shop.awaitRunning(2, Shop.image(1));
      assertTrue(shop.pods().stream().allMatch(p -> Shop.restarts(p) == 0), shop::describe);
    }
  }

  @Test
  void aBrokenImageFailsAndItsSuccessorIsMigratedInstead() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator("true", "\"backoffLimit\":0");
      shop.deployment(2, Shop.image(1));
      shop.awaitRunning(2, Shop.image(1));
      shop.patchMigrator("{\"spec\":{\"command\":[\"sh\",\"-c\",\"test $VERSION != 2\"]}}");
      rollWithVersion(shop, 2);
      shop.awaitReason("MigrationsFailed");
      assertTrue(
          shop.pods().stream().anyMatch(pod -> Shop.runs(pod, Shop.image(1))),
          "the old pods go on");
      rollWithVersion(shop, 3);
      shop.awaitRunning(2, Shop.image(3));
      shop.awaitReason("MigrationsUpToDate");
    }
  }

  private static void rollWithVersion(Shop shop, int tag) throws Exception {
    shop.lab.patch(
        "/apis/apps/v1/namespaces/%s/deployments/shop".formatted(shop.namespace),
        """
        {"spec":{"template":{"spec":{"containers":[{"name":"app","image":"%s","imagePullPolicy":"IfNotPresent",
          "command":["sh","-c","trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"],"env":[{"name":"VERSION","value":"%d"}],
          "securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}}}
        """
            .formatted(Shop.image(tag), tag));
  }

  private static String image(JsonObject job) {
    return job.getAsJsonObject("metadata")
        .getAsJsonObject("annotations")
        .get("migrations.coderanger.net/image")
        .getAsString();
  }
}
