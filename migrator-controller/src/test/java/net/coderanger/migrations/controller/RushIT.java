package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Scratch;
import net.coderanger.migrations.api.ServiceProcess;
import net.coderanger.migrations.api.StagedImage;
import net.coderanger.migrations.api.Vocabulary;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * The program of the image, the one replica there is, and a rush on it. In full, with the places of
 * the image's own settings: {@code -Drush.places=1000}.
 */
@Isolated // it measures
class RushIT {
  /** gate.waiters */
  private static final int PLACES = Integer.getInteger("rush.places", 300);

  private static final int WAITERS = 3 * PLACES;
  private static final int TOKENS_OF_A_POD = 10;

  private static KubeApi kube;
  private static ServiceProcess process;

  @BeforeAll
  static void start() throws Exception {
    kube = KubeApi.withMigrators();
    process =
        ServiceProcess.of(
            new StagedImage().command(),
            Files.writeString(Scratch.file("kubeconfig", ""), kube.kubeconfig()),
            Map.of(
                "CONTROLLER_NAMESPACE", "default",
                "CONTROLLER_IDENTITY", "leader",
                "GATE_WAITERS", String.valueOf(PLACES)));
  }

  @AfterAll
  static void stop() {
    process.close();
    kube.close();
  }

  @Test
  void threeTimesAsManyAsItTakesDoNotCostItTheLeaseAndAllAreReleased() throws Exception {
    var cluster = new Cluster(kube, "rush");
    cluster.migrator("shop", "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}}");
    var replicaSet = cluster.replicaSet("shop-a", "shop:1", 1);
    var tokens = tokens(cluster, replicaSet);
    await().until(() -> holder(cluster).equals("leader"));
    var job = cluster.newJob();
    var before = process.resident("VmRSS");
    var began = System.nanoTime();

    try (var waiters = new Waiters(String.valueOf(process.port()), "shop", tokens);
        var renewals = new Renewals(cluster)) {
      waiters.awaitTold(PLACES, "waiting");
      waiters.awaitTold(WAITERS - PLACES, " 429 ");
      for (var i = 0; i < WAITERS; i++) {
        for (var heard : waiters.heard(i)) {
          assertFalse(heard.what().contains("429") && heard.what().endsWith("empty"), heard.what());
        }
      }
      var filled = System.nanoTime();
      var resident = process.resident("VmRSS");
      var anonymous = process.resident("RssAnon");
      cluster.endPod(cluster.startPodOf(job), 0, "");
      var success = System.nanoTime();
      waiters.awaitTold(WAITERS, Waiters.RELEASED);
      var released = waiters.after(success, Waiters.RELEASED);
      var most = process.resident("VmHWM");
      System.out.printf(
          "%d waiters, %d places, taken after %.1f s: resident MiB %.0f before, %.0f with all"
              + " places taken (%.0f of them anonymous), %.0f at most; %.1f s at most without"
              + " renewal; all released after %.1f s%n",
          WAITERS,
          PLACES,
          (filled - began) / 1e9,
          before,
          resident,
          anonymous,
          most,
          renewals.longest().toMillis() / 1e3,
          released.getLast() / 1e3);
      assertTrue(released.getFirst() > 0, "none before the success");
      assertEquals("leader", holder(cluster));
      assertTrue(process.isAlive());
      assertTrue(most < limit(), "it fits into its container");
    }
  }

  /** MiB that the container may have. */
  private static double limit() throws IOException {
    var deployment =
        Files.readString(
            Path.of("").toAbsolutePath().resolveSibling("deploy/base/controller.yaml"));
    var limit = Pattern.compile("limits: \\{memory: (\\d+)Mi}").matcher(deployment);
    assertTrue(limit.find());
    return Integer.parseInt(limit.group(1));
  }

  private static List<String> tokens(Cluster cluster, JsonObject replicaSet) throws Exception {
    return Parallel.make(
            Parallel.times(WAITERS / TOKENS_OF_A_POD),
            i -> {
              var pod = cluster.waitingPod("shop-" + i, replicaSet, "shop", "shop:1");
              var all = new ArrayList<String>();
              for (var k = 0; k < TOKENS_OF_A_POD; k++) {
                all.add(cluster.token(pod, Vocabulary.AUDIENCE));
              }
              return String.join(" ", all);
            })
        .stream()
        .flatMap(it -> Stream.of(it.split(" ")))
        .toList();
  }

  private static JsonObject lease(Cluster cluster) throws Exception {
    return cluster
        .call(
            "GET",
            "/apis/coordination.k8s.io/v1/namespaces/default/leases/migrator-controller",
            null)
        .getAsJsonObject("spec");
  }

  private static String holder(Cluster cluster) throws Exception {
    return lease(cluster).get("holderIdentity").getAsString();
  }

  /** Looks at how long the lease goes without being renewed. */
  private static final class Renewals implements AutoCloseable {
    private final Thread thread;
    private volatile Duration longest = Duration.ZERO;

    private Renewals(Cluster cluster) {
      thread = Thread.startVirtualThread(() -> look(cluster));
    }

    private void look(Cluster cluster) {
      try {
        var last = Instant.MAX;
        while (true) {
          var renewed = Instant.parse(lease(cluster).get("renewTime").getAsString());
          if (renewed.isAfter(last)) {
            longest = Collections.max(List.of(longest, Duration.between(last, renewed)));
          }
          last = renewed;
          Thread.sleep(200);
        }
      } catch (InterruptedException _) {
        // closed
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }

    private Duration longest() {
      return longest;
    }

    @Override
    public void close() {
      thread.interrupt();
    }
  }
}
