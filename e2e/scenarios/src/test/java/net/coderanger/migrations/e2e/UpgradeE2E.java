package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * From the version before to this one, with a migration in flight. -Dupgrade.from names the
 * install.yaml of the version before, whose images the cluster has or can pull.
 */
@Isolated // others need what is replaced here
@EnabledIfSystemProperty(
    named = "upgrade.from",
    matches = ".+",
    disabledReason =
        "there is no release yet; -Dupgrade.from=install.yaml of another version runs it")
class UpgradeE2E {
  private static final String DEFAULT = Lab.root().resolve("deploy/default").toString();

  private final Lab lab = Lab.withOperator();

  @Test
  void aMigrationInFlightGoesOnAndNothingThatWasMigratedRunsAgain() throws Exception {
    lab.kubectl("", "delete", "-k", DEFAULT, "--ignore-not-found", "--timeout=120s");
    lab.kubectl("", "apply", "--server-side", "-f", System.getProperty("upgrade.from"));
    lab.awaitOperator();
    try (var migrated = new Shop(lab);
        var shop = new Shop(lab)) {
      migrated.migrator("true", "");
      migrated.deployment(1, Shop.image(1));
      migrated.awaitRunning(1, Shop.image(1));
      shop.migrator(Shop.UNTIL_TOLD, "");
      shop.deployment(2, Shop.image(1));
      shop.awaitWaiting(2, Shop.image(1));
      var migration = shop.runningMigration();
      var images = images();

      lab.kubectl("", "apply", "--server-side", "--force-conflicts", "-k", DEFAULT);
      lab.awaitOperator();
      assertNotEquals(images, images(), "it is another version");
      assertEquals(migration, shop.runningMigration(), "the migration goes on");
      shop.letMigrationEnd();
      shop.awaitRunning(2, Shop.image(1));
      assertTrue(shop.pods().stream().allMatch(pod -> Shop.restarts(pod) == 0), shop::describe);
      assertEquals(1, shop.jobs().size(), shop::describe);

      lab.kubectl("", "-n", migrated.namespace, "scale", "deployment/shop", "--replicas=3");
      migrated.awaitRunning(3, Shop.image(1));
      assertEquals(1, migrated.jobs().size(), migrated::describe);
    } finally {
      lab.kubectl("", "apply", "--server-side", "--force-conflicts", "-k", DEFAULT);
      lab.awaitOperator();
    }
  }

  private Set<String> images() throws Exception {
    return lab.list("/apis/apps/v1/namespaces/migrations-operator/deployments").stream()
        .map(
            deployment ->
                Shop.image(deployment.getAsJsonObject("spec").getAsJsonObject("template")))
        .collect(Collectors.toSet());
  }
}
