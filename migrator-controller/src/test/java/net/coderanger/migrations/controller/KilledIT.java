package net.coderanger.migrations.controller;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Vocabulary;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Replicas that die while pods wait. */
class KilledIT {
  private static final String SPEC = "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}}";
  private static KubeApi kube;

  @BeforeAll
  static void start() {
    kube = KubeApi.withMigrators();
  }

  @AfterAll
  static void stop() {
    kube.close();
  }

  @Test
  void whenTheLeaderIsKilledAllItsWaitersAreReleasedByTheOtherOneAndNoneEarly() throws Exception {
    var cluster = new Cluster(kube, "killed");
    cluster.migrator("shop", SPEC);
    try (var one = new Replica(kube, "one", 0);
        var two = new Replica(kube, "two", 0);
        var waiters =
            new Waiters(one.port + "," + two.port, "shop", tokens(cluster, Parallel.times(500)))) {
      var job = cluster.newJob();
      var migration = cluster.startPodOf(job);
      waiters.awaitTold(500, "MigrationsRunning");
      System.out.printf(
          "250 waits each: resident %.0f and %.0f MiB%n", one.resident(), two.resident());
      var leader = holder().equals("one") ? one : two;
      leader.kill();
      var success = System.nanoTime();
      cluster.endPod(migration, 0, "");
      waiters.awaitTold(500, Waiters.RELEASED);
      assertTrue(waiters.after(success, Waiters.RELEASED).getFirst() > 0, "none before the end");
      assertNotEquals(leader.identity, holder());
      assertEquals(1, cluster.jobs().size(), "it did not run again");
    }
  }

  @Test
  void whileTheControllerIsAwayNobodyStartsAndAfterwardsEverybodyDoes() throws Exception {
    var cluster = new Cluster(kube, "away");
    cluster.migrator("shop", SPEC);
    var tokens = tokens(cluster, Parallel.times(50));
    var first = new Replica(kube, "first", 0);
    try (var waiters = new Waiters(String.valueOf(first.port), "shop", tokens)) {
      var migration = cluster.startPodOf(cluster.newJob());
      waiters.awaitTold(50, "MigrationsRunning");
      first.kill();
      waiters.awaitTold(50, "fault");
      cluster.endPod(migration, 0, "");
      var back = System.nanoTime();
      try (var _ = new Replica(kube, "second", first.port)) {
        waiters.awaitTold(50, Waiters.RELEASED);
      }
      assertTrue(waiters.after(back, Waiters.RELEASED).getFirst() > 0);
    } finally {
      first.close();
    }
  }

  private static List<String> tokens(Cluster cluster, IntStream numbers) throws Exception {
    var replicaSet = cluster.replicaSet("shop-a", "shop:1", 1);
    return Parallel.make(numbers, i -> token(cluster, replicaSet, "shop-" + i));
  }

  private static String token(Cluster cluster, JsonObject replicaSet, String name)
      throws Exception {
    return cluster.token(
        cluster.waitingPod(name, replicaSet, "shop", "shop:1"), Vocabulary.AUDIENCE);
  }

  /** Who leads, by the one Lease there is. */
  private static String holder() throws Exception {
    var leases =
        new Cluster(kube, "look-" + System.nanoTime())
            .call("GET", "/apis/coordination.k8s.io/v1/namespaces/default/leases", null)
            .getAsJsonArray("items");
    assertEquals(1, leases.size());
    return leases
        .get(0)
        .getAsJsonObject()
        .getAsJsonObject("spec")
        .get("holderIdentity")
        .getAsString();
  }
}
