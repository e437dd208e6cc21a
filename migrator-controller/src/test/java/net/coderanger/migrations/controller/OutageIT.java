package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Vocabulary;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The API server is away for everybody, or is killed and starts again. */
class OutageIT {
  private static final String SPEC = "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}}";

  /** Long enough for both leases to end and for every watch to have been tried again. */
  private static final Duration AWAY = Duration.ofSeconds(Long.getLong("away.seconds", 12));

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
  void whileTheApiServerIsAwayTheLogSaysItOnceAndAfterwardsEverythingSettles() throws Exception {
    var cluster = new Cluster(kube, "away");
    cluster.migrator("shop", SPEC);
    var tokens = tokens(cluster, 5);
    try (var proxy = new FaultyProxy(kube, new Random(1));
        var replicas = new StressReplicas(kube, proxy, _ -> {})) {
      await().atMost(Duration.ofSeconds(60)).until(() -> replicas.gates().size() == 2);
      var ports = replicas.gates().stream().map(String::valueOf).collect(Collectors.joining(","));
      try (var waiters = new Waiters(ports, "shop", tokens)) {
        var migration = cluster.startPodOf(cluster.newJob());
        waiters.awaitTold(tokens.size(), "MigrationsRunning");

        proxy.away(true);
        cluster.endPod(migration, 0, "");
        var end = Instant.now().plus(AWAY);
        await()
            .atMost(AWAY.multipliedBy(2))
            .until(
                () -> {
                  replicas.restartWhatEnded();
                  return Instant.now().isAfter(end);
                });
        assertEquals(0, waiters.told(Waiters.RELEASED));
        proxy.away(false);

        waiters.awaitTold(tokens.size(), Waiters.RELEASED);
      }
      assertEquals(1, cluster.jobs().size(), "it did not run again");
      for (var log : replicas.allLogs()) {
        var text = String.join("\n", log);
        assertTrue(
            log.stream().filter(it -> it.contains("The API server cannot be reached")).count() <= 1,
            text);
        assertEquals(List.of(), log.stream().filter(it -> it.startsWith("\tat ")).toList(), text);
        // Of its certificate and of its lease besides.
        assertTrue(log.stream().filter(OutageIT::complains).count() <= 5, text);
      }
    }
  }

  private static boolean complains(String line) {
    return line.contains(" WARNING ") || line.contains(" SEVERE ");
  }

  @Test
  void whenTheApiServerIsKilledAndStartsAgainTheMigrationUnderWayIsNotLost() throws Exception {
    var cluster = new Cluster(kube, "restarted");
    cluster.migrator("shop", SPEC);
    var tokens = tokens(cluster, 5);
    try (var server = kube.another();
        var seven = new Replica(server.kubeconfig(), "seven", 0);
        var eight = new Replica(server.kubeconfig(), "eight", 0);
        var waiters = new Waiters(seven.port + "," + eight.port, "shop", tokens)) {
      var migration = cluster.startPodOf(cluster.newJob());
      waiters.awaitTold(tokens.size(), "MigrationsRunning");

      server.kill();
      cluster.endPod(migration, 0, "");
      await() // the leader ends, since it cannot renew its lease
          .atMost(Duration.ofSeconds(20))
          .until(() -> !seven.isAlive() || !eight.isAlive());
      assertEquals(0, waiters.told(Waiters.RELEASED));
      server.start();

      waiters.awaitTold(tokens.size(), Waiters.RELEASED);
      var other = seven.isAlive() ? seven : eight;
      assertTrue(other.isAlive(), "who did not lead goes on");
      var log = Files.readString(other.log);
      assertTrue(log.contains("The API server cannot be reached"), log);
      assertEquals(1, cluster.jobs().size(), "it did not run again");
    }
  }

  private static List<String> tokens(Cluster cluster, int count) throws Exception {
    var replicaSet = cluster.replicaSet("shop-a", "shop:1", 1);
    return Parallel.make(
        Parallel.times(count),
        i ->
            cluster.token(
                cluster.waitingPod("shop-" + i, replicaSet, "shop", "shop:1"),
                Vocabulary.AUDIENCE));
  }
}
