package net.coderanger.migrations.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What gets run, and when, with real pods. */
class RunsE2E {
  private static final String SLOW = "trap 'exit 0' TERM; sleep 600 & wait $!";

  private final Lab lab = Lab.withOperator();

  @Test
  void aRollBackNeedsNoMigrationNeitherMidWayNorAfter() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(Shop.UNTIL_TOLD, "");
      shop.deployment(2, Shop.image(1));
      shop.letMigrationEnd();
      shop.awaitRunning(2, Shop.image(1));

      shop.roll("shop", Shop.image(2));
      shop.runningMigration();
      shop.roll("shop", Shop.image(1));
      shop.awaitRunning(2, Shop.image(1));
      shop.letMigrationEnd();
      shop.awaitReason("MigrationsUpToDate");

      shop.roll("shop", Shop.image(2));
      shop.awaitRunning(2, Shop.image(2));
      shop.roll("shop", Shop.image(1));
      shop.awaitRunning(2, Shop.image(1));
      shop.awaitReason("MigrationsUpToDate");
      assertEquals(2, shop.migrator().getAsJsonObject("status").get("attempts").getAsInt());
    }
  }

  @Test
  void anOldPodThatDiesDuringARollOutIsReplacedAtOnce() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(Shop.UNTIL_TOLD, "");
      shop.deployment(2, Shop.image(1));
      shop.letMigrationEnd();
      shop.awaitRunning(2, Shop.image(1));
      shop.roll("shop", Shop.image(2));
      shop.runningMigration();
      var victim =
          shop.pods().stream()
              .filter(pod -> Shop.runs(pod, Shop.image(1)))
              .map(Shop::name)
              .findFirst()
              .orElseThrow();
      lab.delete("/api/v1/namespaces/%s/pods/%s".formatted(shop.namespace, victim));
      shop.awaitThat(
          "another pod of the old image runs while the migration goes on",
          () ->
              shop.pods().stream()
                      .filter(pod -> Shop.runs(pod, Shop.image(1)))
                      .filter(pod -> !Shop.name(pod).equals(victim))
                      .count()
                  == 2);
      assertEquals("MigrationsRunning", shop.condition("Ready", "reason"));
      shop.letMigrationEnd();
    }
  }

  @Test
  void aNewerImageQueuesBehindARunningMigration() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(Shop.UNTIL_TOLD, "");
      shop.deployment(1, Shop.image(1));
      var first = shop.runningMigration();
      shop.roll("shop", Shop.image(2));
      shop.awaitWaiting(1, Shop.image(2));
      assertEquals(first, shop.runningMigration());
      shop.letMigrationEnd();
      shop.awaitThat("the next migration runs", () -> !shop.runningMigration().equals(first));
      shop.letMigrationEnd();
      shop.awaitRunning(1, Shop.image(2));
      var pod = lab.find("/api/v1/namespaces/%s/pods/%s".formatted(shop.namespace, first));
      var history = shop.migrator().getAsJsonObject("status").getAsJsonArray("history");
      assertEquals(2, history.size(), history::toString);
      assertTrue(history.toString().contains("Succeeded"));
      assertFalse(history.toString().contains("Superseded"), history::toString);
      pod.ifPresent(p -> assertFalse(p.getAsJsonObject("metadata").has("deletionTimestamp")));
    }
  }

  @Test
  void twoDeploymentsOfOneMigratorAreMigratedOneAfterTheOther() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator("sleep 4", "\"successfulJobsHistoryLimit\":5");
      shop.deployment("web", 1, Shop.image(1));
      shop.deployment("worker", 1, Shop.image(2));
      shop.awaitThat(
          "never two at once, and both run in the end",
          () -> {
            assertTrue(
                shop.migrationPods().stream().filter(Shop::isMigrating).count() <= 1,
                "two migrations at once");
            return shop.pods().stream().filter(pod -> Shop.runs(pod, Shop.image(1))).count() == 1
                && shop.pods().stream().filter(pod -> Shop.runs(pod, Shop.image(2))).count() == 1;
          });
      assertEquals(2, shop.jobs().size());
    }
  }

  @Test
  void anotherImageCanRunTheMigration() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator("true", "\"image\":\"%s\"".formatted(Shop.image(3)));
      shop.deployment(1, Shop.image(1));
      shop.awaitRunning(1, Shop.image(1));
      assertTrue(shop.jobs().getFirst().getAsJsonObject("spec").toString().contains(Shop.image(3)));
    }
  }

  @Test
  void aSuspendedMigratorStartsNothingUntilItIsResumed() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator("true", "\"suspend\":true");
      shop.deployment(1, Shop.image(1));
      shop.awaitReason("MigrationsSuspended");
      assertEquals(List.of(), shop.jobs());
      shop.awaitWaiting(1, Shop.image(1));
      shop.patchMigrator("{\"spec\":{\"suspend\":false}}");
      shop.awaitRunning(1, Shop.image(1));
    }
  }

  @Test
  void aMigrationThatTakesTooLongFailsAndARequestedRunGoesThrough() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator("sleep 600", "\"activeDeadlineSeconds\":2,\"backoffLimit\":0");
      shop.deployment(1, Shop.image(1));
      var message = shop.awaitReason("MigrationsFailed");
      assertTrue(message.contains("activeDeadlineSeconds"), message);
      shop.patchMigrator("{\"spec\":{\"activeDeadlineSeconds\":60,\"suspend\":true}}");
      shop.awaitReason("MigrationsSuspended");
      shop.patchMigrator("{\"spec\":{\"command\":[\"true\"],\"suspend\":false}}");
      shop.awaitRunning(1, Shop.image(1));

      shop.patchMigrator(
          "{\"metadata\":{\"annotations\":{\"migrations.coderanger.net/run-requested\":\"1\"}}}");
      shop.awaitThat(
          "the request is answered",
          () ->
              shop.migrator().getAsJsonObject("status").has("runRequestHandled")
                  && shop.condition("Ready", "reason").equals("MigrationsUpToDate"));
      assertEquals(3, shop.migrator().getAsJsonObject("status").get("attempts").getAsInt());
      assertTrue(shop.pods().stream().allMatch(pod -> Shop.runs(pod, Shop.image(1))));
    }
  }

  @Test
  void aMissingSecretIsToldAndTheMigrationStartsOnceItIsThere() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(
          "test \"$PASSWORD\" = hunter2", "\"envFrom\":[{\"secretRef\":{\"name\":\"db\"}}]");
      shop.deployment(1, Shop.image(1));
      shop.awaitThat(
          "the condition names the Secret",
          () -> shop.condition("Ready", "message").contains("secret \"db\" not found"));
      shop.create(
          "v1",
          "secrets",
          "{\"metadata\":{\"name\":\"db\"},\"stringData\":{\"PASSWORD\":\"hunter2\"}}");
      shop.awaitRunning(1, Shop.image(1));
    }
  }

  @Test
  void aMissingServiceAccountIsTold() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator("true", "\"serviceAccountName\":\"migrator\"");
      shop.deployment(1, Shop.image(1));
      shop.awaitThat(
          "the condition names the ServiceAccount",
          () ->
              shop.condition("Ready", "message").contains("serviceaccount \"migrator\" not found"));
      shop.create("v1", "serviceaccounts", "{\"metadata\":{\"name\":\"migrator\"}}");
      shop.awaitRunning(1, Shop.image(1));
    }
  }

  @Test
  void aMigratorThatIsDeletedMidRunAndCreatedAgainNeverRunsTwoAtOnce() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(Shop.UNTIL_TOLD, "");
      shop.deployment(1, Shop.image(1));
      var first = shop.runningMigration();
      lab.delete(shop.migratorsPath() + "/shop");
      shop.awaitThat(
          "the waiter says that its Migrator is being deleted",
          () ->
              lab.log(shop.namespace, Shop.name(shop.pods().getFirst()), "migrate-wait-shop")
                  .contains("MigratorDeleted"));
      assertEquals(first, shop.runningMigration());
      assertTrue(
          lab.find(shop.migratorsPath() + "/shop").isPresent(),
          "the finalizer keeps the Migrator until the migration has ended");
      shop.letMigrationEnd();
      shop.awaitThat("the Migrator goes", () -> lab.find(shop.migratorsPath() + "/shop").isEmpty());
      assertTrue(shop.pods().stream().allMatch(Shop::isInWaiter), shop::describe);
      shop.migrator("true", "");
      shop.awaitRunning(1, Shop.image(1));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"evicted", "deleted"})
  void aMigrationThatIsStoppedFromOutsideAndExitsWithZeroIsNoSuccess(String how) throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(SLOW, "");
      shop.deployment(1, Shop.image(1));
      var first = shop.runningMigration();
      if (how.equals("deleted")) {
        lab.delete("/api/v1/namespaces/%s/pods/%s".formatted(shop.namespace, first));
      } else { // as `kubectl drain` does
        lab.create(
            "/api/v1/namespaces/%s/pods/%s/eviction".formatted(shop.namespace, first),
            "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"%s\"}}"
                .formatted(first));
      }
      shop.awaitThat(
          "a second attempt runs",
          () ->
              shop.migrationPods().stream()
                  .anyMatch(pod -> Shop.runs(pod, Shop.image(1)) && !Shop.name(pod).equals(first)));
      assertTrue(shop.pods().stream().allMatch(Shop::isInWaiter), shop::describe);
      assertFalse(shop.migrator().getAsJsonObject("status").has("lastSuccessfulMigration"));
      assertEquals(
          0,
          shop.migrator()
              .getAsJsonObject("status")
              .getAsJsonObject("current")
              .get("failedAttempts")
              .getAsInt());
      shop.patchMigrator("{\"spec\":{\"command\":[\"true\"]}}");
    }
  }

  @Test
  void aRunThatFailedForGoodStartsAgainOnRequest() throws Exception {
    try (var shop = new Shop(lab)) {
      // What is outside the cluster heals without a trace in it: here, a ConfigMap stands for it.
      shop.create("v1", "configmaps", "{\"metadata\":{\"name\":\"db\"},\"data\":{\"UP\":\"no\"}}");
      shop.migrator(
          "test \"$UP\" = yes",
          "\"backoffLimit\":0,\"envFrom\":[{\"configMapRef\":{\"name\":\"db\"}}]");
      shop.deployment(1, Shop.image(1));
      shop.awaitReason("MigrationsFailed");
      lab.patch(
          "/api/v1/namespaces/%s/configmaps/db".formatted(shop.namespace),
          "{\"data\":{\"UP\":\"yes\"}}");
      lab.kubectl(
          "",
          "-n",
          shop.namespace,
          "annotate",
          "migrator/shop",
          "migrations.coderanger.net/run-requested=the database is up again");
      shop.awaitRunning(1, Shop.image(1));
      assertEquals(2, shop.migrator().getAsJsonObject("status").get("attempts").getAsInt());
    }
  }

  @Test
  void aSelectorThatIsChangedMidRunDoesNotStopTheRunAndTellsThePodsItLeft() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(Shop.UNTIL_TOLD, "");
      shop.deployment(1, Shop.image(1));
      var running = shop.runningMigration();
      shop.patchMigrator("{\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"other\"}}}}");
      var pod = Shop.name(shop.pods().getFirst());
      shop.awaitThat(
          "the waiter says that its Migrator does not select it any more",
          () ->
              lab.log(shop.namespace, pod, "migrate-wait-shop")
                  .contains("no longer selects this pod; delete the pod"));
      assertEquals(running, shop.runningMigration());
      shop.letMigrationEnd();
      shop.awaitReason("NoPods");
      assertEquals(
          Shop.image(1),
          shop.migrator().getAsJsonObject("status").get("lastSuccessfulMigration").getAsString());
      shop.patchMigrator("{\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}}}");
      shop.awaitRunning(1, Shop.image(1));
      assertEquals(1, shop.migrator().getAsJsonObject("status").get("attempts").getAsInt());
    }
  }

  @Test
  void aNamespaceThatIsDeletedMidRunGoes() throws Exception {
    var shop = new Shop(lab);
    shop.migrator(SLOW, "");
    shop.deployment(1, Shop.image(1));
    shop.runningMigration();
    shop.close();
    await("the namespace goes")
        .atMost(Shop.SOON)
        .until(() -> lab.find("/api/v1/namespaces/" + shop.namespace).isEmpty());
  }
}
