package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.api.KubeApi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Time stands still for the one that leads, or leaps. */
class LeaseIT {
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
  void aLeaderThatWakesAfterItsLeaseChangesNothingAndEnds() throws Exception {
    var cluster = new Cluster(kube, "paused");
    cluster.migrator("shop", SPEC);
    try (var wayOfOne = new FaultyProxy(kube, new Random(1));
        var one = new Replica(wayOfOne.kubeconfig(), "one", 0)) {
      var first = cluster.replicaSet("shop-a", "shop:1", 1);
      cluster.waitingPod("shop-a-0", first, "shop", "shop:1");
      var job = cluster.newJob();
      try (var two = new Replica(kube, "two", 0)) {
        one.signal("STOP");
        // There is much that it would do: the migration ends, and another image is wanted.
        cluster.endPod(cluster.startPodOf(job), 0, "");
        cluster.endJob(job, true);
        var next = cluster.replicaSet("shop-b", "shop:2", 2);
        cluster.waitingPod("shop-b-0", next, "shop", "shop:2");
        var second = cluster.newJob(Cluster.name(job));
        var before = wayOfOne.changes().size();

        one.signal("CONT");
        await().atMost(Duration.ofSeconds(30)).until(() -> !one.isAlive());

        var changes = wayOfOne.changes();
        assertEquals(List.of(), changes.subList(before, changes.size()));
        assertTrue(two.isAlive());
        assertTrue(
            cluster.jobs().asList().stream()
                .map(JsonElement::getAsJsonObject)
                .anyMatch(it -> Cluster.name(it).equals(Cluster.name(second))),
            "the run that the other one began is still there");
      }
    }
  }

  @Test
  void whoseClockIsSetBackTakesTheLeaseOfADeadLeader() throws Exception {
    var leases = new Cluster(kube, "clock-back");
    try (var one = Replica.withClock(kube.kubeconfig(), "three");
        var two = Replica.withClock(kube.kubeconfig(), "four")) {
      var leader = holder(awaitLeader(leases, Set.of("three", "four")));
      var other = leader.equals("three") ? two : one;
      other.setClock(Duration.ofHours(-1));
      (other == one ? two : one).kill();

      awaitLeader(leases, Set.of(other.identity));
    }
  }

  @Test
  void aLeaderWhoseClockIsSetNeverActsBesideAnotherAndTheWorkGoesOn() throws Exception {
    var cluster = new Cluster(kube, "clock-of-leader");
    cluster.migrator("shop", SPEC);
    try (var wayOfFive = new FaultyProxy(kube, new Random(1));
        var wayOfSix = new FaultyProxy(kube, new Random(1));
        var five = Replica.withClock(wayOfFive.kubeconfig(), "five")) {
      awaitLeader(cluster, Set.of("five"));
      try (var _ = new Replica(wayOfSix.kubeconfig(), "six", 0)) {
        var known = new ArrayList<String>();
        for (var hours : List.of(1, -1, 0)) { // from one to the next it goes both ways
          five.setClock(Duration.ofHours(hours));
          await()
              .atMost(Duration.ofSeconds(20))
              .until(
                  () -> // a slow machine may cost it the lease, and with that it ends
                  !five.isAlive() || Math.abs(minutesAhead(lease(cluster)) - 60 * hours) <= 1);

          known.add(migrate(cluster, known));
        }
        var ofFive = ofTheLeader(wayOfFive);
        var ofSix = ofTheLeader(wayOfSix);
        assertFalse(ofFive.isEmpty());
        assertTrue(
            ofSix.isEmpty() || ofSix.getFirst().nanos() - ofFive.getLast().nanos() > 0,
            () -> "%s%n%s".formatted(ofFive, ofSix));
      }
    }
  }

  /** Rolls to another image, and lets its migration be done; answers the name of its Job. */
  private static String migrate(Cluster cluster, List<String> known) throws Exception {
    var number = known.size() + 1;
    var image = "shop:" + number;
    var replicaSet = cluster.replicaSet("shop-" + number, image, number);
    cluster.waitingPod("shop-%d-0".formatted(number), replicaSet, "shop", image);
    var job = cluster.newJob(known.toArray(String[]::new));
    cluster.endPod(cluster.startPodOf(job), 0, "");
    cluster.endJob(job, true);
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> cluster.reason("shop").equals("MigrationsUpToDate"));
    return Cluster.name(job);
  }

  private static List<FaultyProxy.Change> ofTheLeader(FaultyProxy way) {
    return way.changes().stream().filter(FaultyProxy.Change::isOfTheLeader).toList();
  }

  /** How far the clock of him who renewed it last goes ahead of ours. */
  private static long minutesAhead(JsonObject lease) {
    var renewed = Instant.parse(lease.get("renewTime").getAsString());
    return Math.round(Duration.between(Instant.now(), renewed).toSeconds() / 60.0);
  }

  /** The lease once one of these holds it. */
  private static JsonObject awaitLeader(Cluster cluster, Set<String> identities) throws Exception {
    await()
        .atMost(Duration.ofSeconds(30))
        .ignoreExceptionsMatching(
            it -> it instanceof ApiException e && e.getCode() == 404) // none yet
        .until(() -> identities.contains(holder(lease(cluster))));
    return lease(cluster);
  }

  private static JsonObject lease(Cluster cluster) throws ApiException {
    return cluster
        .call(
            "GET",
            "/apis/coordination.k8s.io/v1/namespaces/default/leases/migrator-controller",
            null)
        .getAsJsonObject("spec");
  }

  private static String holder(JsonObject lease) {
    return lease.has("holderIdentity") ? lease.get("holderIdentity").getAsString() : "";
  }
}
