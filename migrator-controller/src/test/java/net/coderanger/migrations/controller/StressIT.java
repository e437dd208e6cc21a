package net.coderanger.migrations.controller;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.api.KubeApi;
import org.junit.jupiter.api.Test;

/**
 * Three shops roll, fail, change and lose pods, while the replicas of the controller are killed and
 * paused and their clocks set, their API server is killed, and their way to it fails in every way.
 * What must never happen is looked for all the time, by an account that no status enters; in the
 * end everything has to be settled.
 *
 * <p>-Dstress.seconds=1800 -Dstress.seed=N make it longer, and take the same decisions again as far
 * as threads let them.
 */
class StressIT {
  private static final Duration TIME = Duration.ofSeconds(Long.getLong("stress.seconds", 40));
  private static final Duration SETTLING = Duration.ofMinutes(3);
  private static final int SHOPS = 3;
  private static final int MOST_TOLD = 80;

  private final long seed = Long.getLong("stress.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private final Queue<String> told = new ConcurrentLinkedQueue<>();
  private final Queue<String> wrongs = new ConcurrentLinkedQueue<>();

  @Test
  void whateverFailsEachImageIsMigratedOnceAndNoPodIsLetGoBefore() throws Exception {
    System.out.println("stress with -Dstress.seed=" + seed);
    try (var kube = KubeApi.withMigrators();
        var server = kube.another();
        var proxy = new FaultyProxy(kube, server.url(), new Random(seed));
        var replicas = new StressReplicas(kube, proxy, this::tell)) {
      var shops = new ArrayList<StressShop>();
      for (var i = 0; i < SHOPS; i++) {
        shops.add(
            new StressShop(kube, "stress-" + i, new Random(seed + i), surroundings(replicas)));
      }
      try {
        var end = Instant.now().plus(TIME);
        var nextFault = Instant.now();
        while (Instant.now().isBefore(end)) {
          goOn(shops, replicas);
          if (Instant.now().isAfter(nextFault)) {
            nextFault = Instant.now().plus(fault(server, proxy, replicas));
          }
        }
        settle(shops, proxy, replicas);
      } finally {
        shops.forEach(StressShop::close);
      }
      System.out.printf(
          "%d migrations; replicas killed %d, paused %d, their clocks set %d, ended by themselves"
              + " %d; API server restarted %d; calls: %s%n",
          shops.stream().mapToInt(StressShop::executions).sum(),
          replicas.killed(),
          replicas.paused(),
          replicas.clocksSet(),
          replicas.ended(),
          server.restarts(),
          proxy.faults());
    }
  }

  private void goOn(List<StressShop> shops, StressReplicas replicas) throws Exception {
    for (var shop : shops) {
      shop.goOn();
    }
    replicas.restartWhatEnded();
    if (!wrongs.isEmpty()) {
      fail("-Dstress.seed=%d: %s%n%s".formatted(seed, wrongs, tale()));
    }
    Thread.sleep(50); // the pace of the machinery that is played here
  }

  /** Lets something fail; answers how long until the next does. */
  private Duration fault(KubeApi.Another server, FaultyProxy proxy, StressReplicas replicas)
      throws IOException {
    proxy.away(false);
    proxy.fail(0, 0);
    replicas.setClocksRight();
    tell(
        switch (random.nextInt(11)) {
          case 0, 1 -> {
            replicas.kill(random);
            yield "a replica is killed";
          }
          case 2 -> {
            replicas.pauseLeader();
            yield "the leader is paused";
          }
          case 3 -> {
            proxy.away(true);
            yield "the API server is away";
          }
          case 4 -> {
            proxy.expireWatches();
            yield "watches expire";
          }
          case 5 -> {
            proxy.fail(20, 0);
            yield "calls are refused";
          }
          case 6 -> {
            proxy.fail(0, 10);
            yield "answers are lost";
          }
          case 7 -> {
            server.restart();
            yield "the API server is killed and starts again";
          }
          case 8, 9 -> replicas.setClock(random);
          default -> {
            proxy.fail(10, 10);
            yield "calls are refused and answers lost";
          }
        });
    return Duration.ofMillis(1000 + random.nextInt(6000));
  }

  private void settle(List<StressShop> shops, FaultyProxy proxy, StressReplicas replicas)
      throws Exception {
    proxy.away(false);
    proxy.fail(0, 0);
    replicas.setClocksRight();
    replicas.resumeAll();
    for (var shop : shops) {
      shop.calmDown();
    }
    tell("all faults are over");
    var begin = Instant.now();
    var end = begin.plus(SETTLING);
    var unsettled = unsettled(shops);
    while (!unsettled.isEmpty()) {
      if (Instant.now().isAfter(end)) {
        fail("-Dstress.seed=%d: %s%n%s%n%s".formatted(seed, unsettled, tale(), replicas.logs()));
      }
      goOn(shops, replicas);
      unsettled = unsettled(shops);
    }
    System.out.println("settled after " + Duration.between(begin, Instant.now()));
  }

  private static List<String> unsettled(List<StressShop> shops) throws ApiException {
    var all = new ArrayList<String>();
    for (var shop : shops) {
      shop.unsettled().ifPresent(all::add);
    }
    return all;
  }

  private StressShop.Surroundings surroundings(StressReplicas replicas) {
    return new StressShop.Surroundings() {
      @Override
      public List<Integer> gates() {
        return replicas.gates();
      }

      @Override
      public void wrong(String what) {
        wrongs.add(what);
        StressIT.this.tell("WRONG: " + what);
      }

      @Override
      public void tell(String what) {
        StressIT.this.tell(what);
      }
    };
  }

  private void tell(String what) {
    told.add(Instant.now() + " " + what);
    if (told.size() > MOST_TOLD) {
      told.poll();
    }
  }

  private String tale() {
    return String.join("\n", told);
  }
}
