package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.openapi.ApiException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** What happens to gated pods and others while one of us is away. */
@Isolated // others need what is taken away here
class GateE2E {
  private static final String OURS = "/apis/apps/v1/namespaces/migrations-operator/deployments/";

  private static final Duration AWAY = Duration.ofSeconds(Long.getLong("gate.away.seconds", 10));

  private final Lab lab = Lab.withOperator();

  @Test
  void whileTheControllerIsAwayPodsWaitAndNoWaiterRestarts() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(Shop.UNTIL_TOLD, "");
      shop.deployment(3, Shop.image(1));
      shop.awaitWaiting(3, Shop.image(1));
      var migration = shop.runningMigration();
      scale("migrator-controller", 0);
      awaitNoPods("migrator-controller");
      var back = Instant.now().plus(AWAY);
      shop.letMigrationEnd();
      shop.awaitThat(
          "the migration ends, and time passes in which all pods wait",
          () -> {
            assertEquals(3, shop.pods().stream().filter(Shop::isInWaiter).count(), shop::describe);
            return Instant.now().isAfter(back)
                && shop.migrationPods().stream()
                    .filter(pod -> Shop.name(pod).equals(migration))
                    .noneMatch(Shop::isMigrating);
          });
      scale("migrator-controller", 2);
      lab.awaitOperator();
      shop.awaitRunning(3, Shop.image(1));
      assertTrue(shop.pods().stream().allMatch(pod -> Shop.restarts(pod) == 0), shop::describe);
      assertEquals(1, shop.jobs().size());
    } finally {
      scale("migrator-controller", 2);
      lab.awaitOperator();
    }
  }

  @Test
  void withoutTheInjectorOrdinaryPodsStartRequiredOnesAreRefusedAndAllHealsWithIt()
      throws Exception {
    try (var shop = new Shop(lab);
        var other = new Shop(lab)) {
      shop.migrator("true", "");
      scale("injector-webhook", 0);
      awaitNoPods("injector-webhook");
      other.deploymentOf(
          "plain", 1, other.podTemplate("plain", Shop.image(1), "").replace("required", "note"));
      other.awaitRunning(1, Shop.image(1));
      shop.deployment(1, Shop.image(1));
      shop.awaitThat(
          "the ReplicaSet is told why its pod is refused",
          () -> {
            var events = shop.events("ReplicaSet").toString();
            return events.contains("no migrators found matching pod")
                && events.contains(
                    "see whether injector-webhook of the migrations-operator is running");
          });
      assertEquals(List.of(), shop.pods());

      scale("injector-webhook", 2);
      // As after a power cut: nothing of ours, of the cluster's and of the user's runs.
      for (var namespace : List.of("migrations-operator", "kube-system", other.namespace)) {
        for (var pod : lab.list("/api/v1/namespaces/%s/pods".formatted(namespace))) {
          if (!pod.toString().contains("kubernetes.io/config.mirror")) {
            lab.delete("/api/v1/namespaces/%s/pods/%s".formatted(namespace, Shop.name(pod)));
          }
        }
      }
      lab.awaitOperator();
      other.awaitRunning(1, Shop.image(1));
      shop.awaitRunning(1, Shop.image(1));
      assertEquals(
          Shop.image(1),
          shop.migrator().getAsJsonObject("status").get("lastSuccessfulMigration").getAsString());
    } finally {
      scale("injector-webhook", 2);
      lab.awaitOperator();
    }
  }

  private void scale(String deployment, int replicas) throws ApiException {
    lab.patch(OURS + deployment, "{\"spec\":{\"replicas\":%d}}".formatted(replicas));
  }

  private void awaitNoPods(String deployment) {
    lab.awaitThat(
        "no pod of " + deployment + " is left",
        () ->
            lab.list(
                    "/api/v1/namespaces/migrations-operator/pods?labelSelector=app.kubernetes.io/name%3D"
                        + deployment)
                .isEmpty());
  }
}
