package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;

/** The sample application on a real PostgreSQL, which counts the migrations itself. */
class SampleE2E {
  private static final String IMAGE = "ghcr.io/coderanger/migrations-operator/sample:";

  private final Lab lab = Lab.withOperator();

  @Test
  void aReleaseThatNeedsANewColumnStartsOnlyOnceItsMigrationHasAddedIt() throws Exception {
    try (var shop = new Shop(lab)) {
      apply(shop, "postgres");
      lab.kubectl(
          "", "-n", shop.namespace, "rollout", "status", "deployment/shop-db", "--timeout=120s");
      apply(shop, "v1");
      shop.awaitRunning(3, IMAGE + "v1");

      apply(shop, "v2");
      shop.awaitRunning(3, IMAGE + "v2");
      lab.kubectl(
          "", "-n", shop.namespace, "rollout", "status", "deployment/shop", "--timeout=120s");
      assertTrue(shop.pods().stream().allMatch(pod -> Shop.restarts(pod) == 0), shop::describe);
      shop.awaitReason("MigrationsUpToDate");

      // What PostgreSQL itself counted: each version's migration began and ended exactly once.
      var executions =
          lab.kubectl(
              "",
              "get",
              "--raw",
              "/api/v1/namespaces/%s/services/shop:8080/proxy/migrations"
                  .formatted(shop.namespace));
      for (var version : List.of("v1", "v2")) {
        assertEquals(
            1,
            Pattern.compile("\"" + version + "\"").matcher(executions).results().count(),
            executions);
      }
      assertFalse(executions.contains("null"), executions);
    }
  }

  private void apply(Shop shop, String part) {
    lab.kubectl(
        "",
        "-n",
        shop.namespace,
        "apply",
        "-k",
        Lab.root().resolve("e2e/sample/deploy/" + part).toString());
  }
}
