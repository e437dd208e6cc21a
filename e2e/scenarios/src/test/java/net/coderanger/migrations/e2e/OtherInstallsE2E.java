package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;

/** The other ways of installing the operator, each instead of the one that all others use. */
class OtherInstallsE2E extends InsteadOfTheDefault {
  private static final String CRD = "crd/migrators.migrations.coderanger.net";

  @Test
  void helmInstallsTheOperatorAndAnApplicationAndRemovesTheOperatorFromUnderIt() throws Exception {
    try (var shop = new Shop(lab)) {
      var chart = Lab.root().resolve("deploy/helm/migrations-operator").toString();
      for (var replicas : List.of("1", "2")) { // an installation, then an upgrade
        lab.helm(
            "upgrade",
            "--install",
            "migrations-operator",
            chart,
            "--namespace=migrations-operator",
            "--create-namespace",
            "--wait",
            "--atomic",
            "--timeout=3m",
            "--set=injector.replicas=" + replicas);
      }
      lab.awaitOperator();
      for (var tag : List.of(1, 2)) {
        var told =
            lab.helm(
                "upgrade",
                "--install",
                "shop",
                Lab.root().resolve("e2e/scenarios/src/test/resources/chart").toString(),
                "--namespace=" + shop.namespace,
                "--wait",
                "--atomic",
                "--timeout=2m",
                "--set=tag=" + tag);
        assertTrue(told.contains("STATUS: deployed"), told);
        shop.awaitRunning(2, Shop.image(tag));
      }
      assertEquals(2, shop.jobs().size(), shop::describe);

      shop.patchMigrator("{\"spec\":{\"suspend\":true}}");
      shop.deployment("late", 1, Shop.image(3));
      shop.awaitWaiting(1, Shop.image(3));
      var told =
          lab.helm("uninstall", "migrations-operator", "--namespace=migrations-operator", "--wait");
      assertTrue(told.contains("migrators.migrations.coderanger.net"), told);
      lab.kubectl("", "get", CRD);
      lab.kubectl("", "delete", "namespace", "migrations-operator", "--timeout=120s");
      shop.awaitRunning(2, Shop.image(2));
      shop.awaitWaiting(1, Shop.image(3));
      assertTrue(shop.pods().stream().allMatch(pod -> Shop.restarts(pod) == 0), shop::describe);
    } finally {
      lab.kubectl(
          "", "delete", CRD, "--ignore-not-found", "--timeout=60s"); // else Helm's marks stay
    }
  }

  /** Certificates come as files to where OLM mounts them, and the namespace is another one. */
  @Test
  void asOlmInstallsItTheMainJobIsDone() throws Exception {
    var objects = Lab.root().resolve("olm-bundle/target/as-olm.yaml");
    assertTrue(
        Files.exists(objects), objects + " is missing: mvn verify -pl olm-bundle -am writes it");
    try (var _ = new Operators(lab, objects.toString());
        var shop = new Shop(lab)) {
      lab.awaitRolledOut("operators");
      theMainJobIsDone(shop);
    }
  }

  /** The objects in their namespace; without a close of its own a failure would be lost. */
  private record Operators(Lab lab, String objects) implements AutoCloseable {
    private Operators {
      lab.kubectl("", "create", "namespace", "operators");
      lab.kubectl("", "apply", "--server-side", "-f", objects);
    }

    @Override
    public void close() {
      lab.kubectl("", "delete", "-f", objects, "--ignore-not-found", "--timeout=120s");
      lab.kubectl("", "delete", "namespace", "operators", "--timeout=120s");
    }
  }
}
