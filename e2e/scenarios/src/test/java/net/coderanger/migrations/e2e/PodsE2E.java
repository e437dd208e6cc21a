package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;

/** Gated pods under the rules of their namespace, and in other hands. */
class PodsE2E {
  private final Lab lab = Lab.withOperator();

  @Test
  void aQuotaOnRequestsAndLimitsAndALimitRangeWithAMinimumLetGatedPodsAndMigrationsPass()
      throws Exception {
    try (var shop = new Shop(lab)) {
      shop.create(
          "v1",
          "resourcequotas",
          """
          {"metadata":{"name":"all"},"spec":{"hard":{"requests.cpu":"1","limits.cpu":"4","requests.memory":"1Gi","limits.memory":"1Gi"}}}
          """);
      shop.create(
          "v1",
          "limitranges",
          """
          {"metadata":{"name":"all"},"spec":{"limits":[{"type":"Container","min":{"cpu":"50m","memory":"150Mi"},
           "defaultRequest":{"cpu":"60m","memory":"160Mi"},"default":{"cpu":"600m","memory":"160Mi"}}]}}
          """);
      shop.migrator("true", "");
      shop.deployment(2, Shop.image(1));
      shop.awaitRunning(2, Shop.image(1));
    }
  }

  @Test
  void aPodCopiedFromAGatedOneWaitsByItselfAndLabelsAndAnnotationsCanBeChanged() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(Shop.UNTIL_TOLD, "");
      shop.deployment(1, Shop.image(1));
      shop.awaitWaiting(1, Shop.image(1));
      var original = Shop.name(shop.pods().getFirst());
      lab.patch(
          "/api/v1/namespaces/%s/pods/%s".formatted(shop.namespace, original),
          "{\"metadata\":{\"labels\":{\"more\":\"yes\"},\"annotations\":{\"more\":\"yes\"}}}");

      var copy =
          lab.get("/api/v1/namespaces/%s/pods/%s".formatted(shop.namespace, original)).deepCopy();
      var meta = copy.getAsJsonObject("metadata");
      for (var member : List.of("uid", "resourceVersion", "ownerReferences", "generateName")) {
        meta.remove(member);
      }
      meta.addProperty("name", "copy");
      meta.getAsJsonObject("labels").remove("pod-template-hash"); // or the ReplicaSet takes it
      copy.remove("status");
      copy.getAsJsonObject("spec").remove("nodeName");
      shop.create("v1", "pods", copy.toString());
      shop.awaitWaiting(2, Shop.image(1));
      var waiters =
          lab.get("/api/v1/namespaces/%s/pods/copy".formatted(shop.namespace))
              .getAsJsonObject("spec")
              .getAsJsonArray("initContainers");
      assertEquals(1, waiters.size(), waiters::toString);
      shop.letMigrationEnd();
      shop.awaitRunning(2, Shop.image(1));
    }
  }
}
