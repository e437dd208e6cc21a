package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A Deployment and its Migrator that arrive in the same second, as Helm sends them: the Deployment
 * first, as the order of kinds wants it. The pods fit on no node, for what counts is decided
 * before.
 */
class InstallationsE2E {
  private static final int INSTALLATIONS = 20;
  private static final String NOWHERE = "\"nodeSelector\":{\"no\":\"node\"},";

  private final Lab lab = Lab.withOperator();

  @ParameterizedTest(name = "required: {0}")
  @ValueSource(booleans = {true, false})
  void noPodSlipsPastUnseen(boolean required) throws Exception {
    var slipped = 0;
    for (var i = 0; i < INSTALLATIONS; i++) {
      try (var shop = new Shop(lab)) {
        var template = shop.podTemplate("shop", Shop.image(1), NOWHERE);
        shop.deploymentOf("shop", 1, required ? template : template.replace("required", "note"));
        shop.migrator("true", "");
        shop.awaitThat("the pod was made", () -> shop.pods().size() == 1);
        if (!isGated(shop.pods().getFirst())) {
          slipped++;
          shop.awaitThat(
              "an event on the pod says that it slipped past",
              () -> shop.events("Pod").toString().contains("\"reason\":\"NotGated\""));
        }
      }
    }
    System.out.printf(
        "Deployment, then Migrator, %d times, %s the annotation required: %d pods slipped past%n",
        INSTALLATIONS, required ? "with" : "without", slipped);
    if (required) {
      assertEquals(0, slipped);
    }
    // At least: other tests may let pods slip past, too.
    assertTrue(counted() >= slipped, "the metric counts every one");
  }

  @Test
  void aPodThatWasMadeJustBeforeItsMigratorIsToldOf() throws Exception {
    try (var shop = new Shop(lab)) {
      var before = counted();
      shop.deploymentOf(
          "shop", 1, shop.podTemplate("shop", Shop.image(1), NOWHERE).replace("required", "note"));
      shop.awaitThat("the pod was made", () -> shop.pods().size() == 1);
      shop.migrator("true", "");
      shop.awaitThat(
          "an event on the pod says so and what to do",
          () ->
              shop.events("Pod").stream()
                  .filter(event -> event.get("reason").getAsString().equals("NotGated"))
                  .anyMatch(
                      event ->
                          event
                              .get("message")
                              .getAsString()
                              .contains("annotate the template of ReplicaSet/shop-")));
      assertTrue(counted() > before, "the metric counts it");
    }
  }

  private static boolean isGated(JsonObject pod) {
    var containers = pod.getAsJsonObject("spec").getAsJsonArray("initContainers");
    return containers != null && containers.toString().contains("\"migrate-wait-shop\"");
  }

  private double counted() throws Exception {
    var sum = 0.0;
    for (var pod :
        lab.list(
            "/api/v1/namespaces/migrations-operator/pods?labelSelector=app.kubernetes.io/name%3Dmigrator-controller")) {
      sum +=
          lab.kubectl(
                  "",
                  "get",
                  "--raw",
                  "/api/v1/namespaces/migrations-operator/pods/%s:8080/proxy/metrics"
                      .formatted(Shop.name(pod)))
              .lines()
              .filter(line -> line.startsWith("migrations_controller_ungated_pods_total"))
              .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
              .sum();
    }
    return sum;
  }
}
