package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonParser;
import io.kubernetes.client.openapi.ApiException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * The sample on its PostgreSQL, rolled from v1 to v2, back and forth again, while all replicas of
 * one service or the other are killed again and again. PostgreSQL counts the migrations.
 */
@Isolated // others need what is killed here
class ChaosE2E {
  private static final String IMAGE = "ghcr.io/coderanger/migrations-operator/sample:";
  private static final int SHOPS = Integer.getInteger("chaos.shops", 2);
  private static final int REPLICAS = 2;

  private static final int ROLLS = Integer.getInteger("chaos.rolls", 2);
  private static final int KILLS = Integer.getInteger("chaos.kills", 3);

  /** The longest time from a step to the fault that follows it. */
  private static final int DELAY_MILLIS = 3_000;

  private final Lab lab = Lab.withOperator();

  @Test
  void eachVersionIsMigratedOnceHoweverOftenTheServicesAreKilled() throws Exception {
    var seed = Long.getLong("chaos.seed", System.nanoTime());
    System.out.println("killed with -Dchaos.seed=" + seed);
    var shops = new ArrayList<Shop>();
    try (var killer = new Killer(lab);
        var stories = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var i = 0; i < SHOPS; i++) {
        shops.add(new Shop(lab));
      }
      var told =
          shops.stream()
              .map(
                  shop -> stories.submit(() -> story(shop, new Random(seed + shops.indexOf(shop)))))
              .toList();
      var random = new Random(seed);
      var killed = new TreeMap<String, Integer>();
      for (var kill = 0; kill < KILLS; kill++) {
        // After each step, or a new leader would be killed before it may act, and nothing be seen.
        var seen = steps(shops);
        lab.awaitThat(
            "the next step is done",
            () -> !steps(shops).equals(seen) || told.stream().allMatch(Future::isDone));
        var due = Instant.now().plusMillis(random.nextInt(DELAY_MILLIS));
        lab.awaitThat("the next fault is due", () -> Instant.now().isAfter(due));
        var service = kill % 3 == 2 ? "injector-webhook" : "migrator-controller";
        killed.merge(service, killer.kill(service), Integer::sum);
      }
      for (var story : told) {
        story.get();
      }
      System.out.println("processes killed: " + killed);
      assertTrue(killed.getOrDefault("migrator-controller", 0) > 0, killed::toString);
      lab.awaitOperator();
      for (var shop : shops) {
        shop.awaitReason("MigrationsUpToDate");
        assertEquals(Map.of("v1", 1, "v2", 1), executions(shop), shop::describe);
      }
    } finally {
      for (var shop : shops) {
        shop.close();
      }
      lab.awaitOperator();
    }
  }

  private Void story(Shop shop, Random random) throws Exception {
    apply(shop, sample("postgres"));
    lab.kubectl(
        "", "-n", shop.namespace, "rollout", "status", "deployment/shop-db", "--timeout=120s");
    var seconds =
        "env: [{name: SAMPLE_MIGRATION_SECONDS, value: \"%d\"}]".formatted(random.nextInt(8));
    for (var roll = 0; roll < ROLLS; roll++) {
      var version = roll % 2 == 0 ? "v1" : "v2"; // again and again: a roll-back migrates nothing
      apply(
          shop,
          sample(version)
              .replace("  args:", "  " + seconds + "\n  args:")
              .replace("replicas: 3", "replicas: " + REPLICAS));
      shop.awaitRunning(REPLICAS, IMAGE + version);
      assertTrue(
          shop.pods().stream().allMatch(pod -> Shop.restarts(pod) == 0),
          () -> "a waiter or an application that started too early: " + shop.describe());
    }
    return null;
  }

  /** Changes when the controller has written something, or a migration has begun or ended. */
  private static List<String> steps(List<Shop> shops) throws ApiException {
    var versions = new ArrayList<String>();
    for (var shop : shops) {
      for (var object : shop.migratorsAndJobs()) {
        versions.add(object.getAsJsonObject("metadata").get("resourceVersion").getAsString());
      }
    }
    return versions;
  }

  private Map<String, Integer> executions(Shop shop) {
    var answer =
        lab.kubectl(
            "",
            "get",
            "--raw",
            "/api/v1/namespaces/%s/services/shop:8080/proxy/migrations".formatted(shop.namespace));
    var counted = new TreeMap<String, Integer>();
    for (var row : JsonParser.parseString(answer).getAsJsonArray()) {
      assertFalse(row.getAsJsonObject().get("finishedAt").isJsonNull(), answer);
      counted.merge(row.getAsJsonObject().get("version").getAsString(), 1, Integer::sum);
    }
    return counted;
  }

  private String sample(String part) {
    return lab.kubectl("", "kustomize", Lab.root().resolve("e2e/sample/deploy/" + part).toString());
  }

  private void apply(Shop shop, String objects) {
    lab.kubectl(objects, "-n", shop.namespace, "apply", "-f-");
  }
}
