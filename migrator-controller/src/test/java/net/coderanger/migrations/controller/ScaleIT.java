package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import net.coderanger.migrations.api.Flood;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Vocabulary;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** A thousand waiters at once, at the gate of one replica, over TLS. */
@Isolated // it measures
class ScaleIT {
  private static final String MIGRATED =
      "{\"migratedImages\":[{\"image\":\"shop:1\",\"migrationImage\":\"shop:1\"}]}";
  private static final int WAITERS = 1000;
  private static final int EDITED = 5;
  private static final int FLOOD = 10_000;
  private static final int FLOOD_OF_EACH_KIND = 40;
  private static final int GOOD = 300;

  private static KubeApi kube;
  private static final Calls CALLS = new Calls();
  private static RunningGate gate;

  @BeforeAll
  static void start() throws Exception {
    kube = KubeApi.withMigrators();
    gate =
        new RunningGate(
            kube,
            CALLS,
            Map.of(
                "gate.waiters", String.valueOf(WAITERS + EDITED), "connections.head-time", "PT5S"));
  }

  @AfterAll
  static void stop() {
    gate.close();
    kube.close();
  }

  @Test
  void aThousandAreReleasedTogetherByAHandfulOfCalls() throws Exception {
    var cluster = new Cluster(kube, "thousand");
    cluster.migrator("shop", "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}}");
    var replicaSet = cluster.replicaSet("shop-a", "shop:1", 1);
    var all = WAITERS + EDITED;
    var tokens = Parallel.make(Parallel.times(all), i -> token(cluster, replicaSet, "shop-" + i));
    var before = heap();
    CALLS.forget();

    try (var waiters = new Waiters(String.valueOf(gate.port()), "shop", tokens)) {
      waiters.awaitTold(all, "MigrationsQueued");
      assertEquals(all, gate.gate.waiting());
      // A call that was not needed for a connection would show here: a review, a look, a template.
      assertEquals(all, CALLS.count("POST", "/tokenreviews"));
      assertEquals(2 * all, CALLS.butEvents().size());
      var during = heap();

      assertTooMany(tokens.getFirst());

      CALLS.forget();
      var change = System.nanoTime();
      cluster.migratorStatus(
          "shop",
          "{\"current\":{\"image\":\"shop:1\",\"job\":\"j\",\"attempt\":1,\"template\":\"x\"}}");
      waiters.awaitTold(all, "MigrationsRunning");
      var told = waiters.after(change, "MigrationsRunning");
      assertEquals(List.of(), CALLS.butEvents(), "to be told costs no call");

      for (var i = WAITERS; i < all; i++) {
        cluster.call(
            "PATCH",
            "/api/v1/namespaces/thousand/pods/shop-" + i,
            "{\"spec\":{\"containers\":[{\"name\":\"app\",\"image\":\"shop:2\"}]}}");
      }
      CALLS.forget();
      var success = System.nanoTime();
      cluster.migratorStatus(
          "shop",
          "{\"current\":null,\"migratedImages\":[{\"image\":\"shop:1\",\"migrationImage\":\"shop:1\"}]}");
      waiters.awaitTold(WAITERS, Waiters.RELEASED);
      var released = waiters.after(success, Waiters.RELEASED);
      System.out.printf(
          "%d waiters, ms: told a change p50 %.0f, p99 %.0f; released p50 %.0f, p99 %.0f; %d"
              + " calls%n",
          all,
          at(told, 50),
          at(told, 99),
          at(released, 50),
          at(released, 99),
          CALLS.butEvents().size());
      assertTrue(released.getFirst() > 0, "none before the success");
      var pages = (all + 499) / 500;
      assertTrue(CALLS.butEvents().size() <= 2 * pages, () -> CALLS.butEvents().toString());
      assertEquals(CALLS.butEvents().size(), CALLS.count("GET", "/pods"));
      assertTrue(at(released, 99) < 5 * at(told, 99), "a release is not dearer than a word");

      for (var i = WAITERS; i < all; i++) {
        var one = i;
        await().until(() -> waiters.heard(one).getLast().what().contains("shop:2"));
      }
      assertEquals(WAITERS, waiters.told(Waiters.RELEASED), "an edited image was not migrated");
      waiters.vanish();
      await().atMost(Duration.ofSeconds(60)).until(() -> gate.gate.waiting() == 0);
      var after = heap();
      System.out.printf(
          "heap: %.1f MiB before, %.1f with %d waits (%.0f KiB each), %.1f after%n",
          before / 1048576.0,
          during / 1048576.0,
          all,
          (during - before) / 1024.0 / all,
          after / 1048576.0);
      assertTrue(after - before < (during - before) / 4, "what a wait costs is given back");
    }
  }

  @Test
  void aFloodOfConnectionsIsNotNoticedByWaitersThatConnectAndLeavesNothingBehind()
      throws Exception {
    var cluster = new Cluster(kube, "flood");
    cluster.migrator("shop", "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}}");
    var token = token(cluster, cluster.replicaSet("shop-a", "shop:1", 1), "shop-1");
    cluster.migratorStatus("shop", MIGRATED);
    connects(GOOD, token); // warm
    var heapBefore = heap();
    var before = connects(GOOD, token);
    try (var flood = new Flood(gate.port(), FLOOD, FLOOD_OF_EACH_KIND)) {
      connects(GOOD / 4, token); // each of them is answered
      flood.awaitArrived();
      var during = connects(GOOD, token);
      flood.awaitHungUpOn();
      await().until(() -> gate.doorkeeper.present() == 0);
      var after = connects(GOOD, token);
      System.out.printf(
          "connects, ms: before p50 %.1f, p99 %.1f; with %d connections p50 %.1f, p99 %.1f; after"
              + " p50 %.1f, p99 %.1f%n",
          at(before, 50),
          at(before, 99),
          FLOOD,
          at(during, 50),
          at(during, 99),
          at(after, 50),
          at(after, 99));
      for (var percent : List.of(50, 90, 99)) {
        var reference = Math.max(at(before, percent), at(after, percent));
        assertTrue(at(during, percent) < 3 * reference, "p%d unchanged".formatted(percent));
      }
    }
    await().until(() -> gate.doorkeeper.present() == 0);
    var heapAfter = heap();
    assertTrue(heapAfter < heapBefore * 1.25, heapBefore + " bytes before, " + heapAfter);
  }

  /** Milliseconds from the connection's beginning to the release, sorted. */
  private static List<Double> connects(int number, String token) throws Exception {
    var took = new ArrayList<Double>();
    for (var i = 0; i < number; i++) {
      var start = System.nanoTime();
      try (var caller = new Caller(gate.port())) {
        caller.ask("shop", token);
        assertEquals(200, caller.status());
        assertEquals(Waiters.RELEASED, caller.line());
      }
      took.add((System.nanoTime() - start) / 1e6);
    }
    Collections.sort(took);
    return took;
  }

  private static void assertTooMany(String token) throws Exception {
    try (var waiters = new Waiters(String.valueOf(gate.port()), "shop", List.of(token))) {
      waiters.awaitTold(1, "refused HTTP/1.1 429");
    }
  }

  private static String token(Cluster cluster, JsonObject replicaSet, String name)
      throws Exception {
    return cluster.token(
        cluster.waitingPod(name, replicaSet, "shop", "shop:1"), Vocabulary.AUDIENCE);
  }

  private static double at(List<Double> sorted, int percent) {
    return sorted.get(Math.min(sorted.size() - 1, sorted.size() * percent / 100));
  }

  /** Bytes in use after the garbage is gone. */
  private static long heap() throws InterruptedException {
    var runtime = Runtime.getRuntime();
    var least = Long.MAX_VALUE;
    for (var i = 0; i < 3; i++) {
      System.gc();
      least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
    }
    return least;
  }
}
