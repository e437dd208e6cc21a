package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Both services are replaced, one replica after the other, and their certificates change again and
 * again, while fifty pods a second are made and others wait.
 */
@Isolated // the load would be felt by others
class RollingE2E {
  private static final List<String> DEPLOYMENTS =
      List.of("injector-webhook", "migrator-controller");

  /** How long certificates change; the change every 30 s of a long run is asked for with more. */
  private static final Duration ROTATION = Duration.ofSeconds(Long.getLong("rotation.seconds", 20));

  private static final Duration LEAF_LIFETIME =
      Duration.ofSeconds(Long.getLong("rotation.leaf-lifetime", 18));

  private final Lab lab = Lab.withOperator();

  @Test
  void noPodSlipsPastAndNoWaiterIsLost() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(Shop.UNTIL_TOLD, "");
      shop.deployment(4, Shop.image(1));
      shop.awaitWaiting(4, Shop.image(1));
      try (var load = new Load(shop)) {
        var begin = load.made();
        // Another template: a rolling upgrade, like one to another image.
        set("TLS_LEAF_LIFETIME=" + LEAF_LIFETIME, "TLS_POLL=PT1S");
        awaitReplaced();
        told("both services replaced", load, begin);

        // Those of before have days to live; a broken one is replaced at once.
        for (var deployment : DEPLOYMENTS) {
          lab.patch(SECRETS + deployment + "-tls", "{\"data\":{\"tls.crt\":\"eA==\"}}");
        }
        begin = load.made();
        var leaves = new TreeSet<String>();
        var until = Instant.now().plus(ROTATION);
        lab.awaitThat(
            "certificates changed for " + ROTATION,
            ROTATION.multipliedBy(2),
            () -> {
              leaves.addAll(leaves());
              assertEquals(
                  4, shop.pods().stream().filter(Shop::isInWaiter).count(), shop::describe);
              return Instant.now().isAfter(until);
            });
        var changes = leaves.size() - DEPLOYMENTS.size();
        told("%d new certificates".formatted(changes), load, begin);
        // Each of two services renews after two thirds of a life, at most.
        assertTrue(changes >= ROTATION.dividedBy(LEAF_LIFETIME), () -> leaves.size() + " leaves");

        begin = load.made();
        set("TLS_LEAF_LIFETIME-", "TLS_POLL-");
        awaitReplaced();
        told("both services replaced again", load, begin);
        assertEquals(List.of(), load.troubles());
      } finally {
        set("TLS_LEAF_LIFETIME-", "TLS_POLL-");
      }
      shop.letMigrationEnd();
      shop.awaitRunning(4, Shop.image(1));
      assertTrue(shop.pods().stream().allMatch(pod -> Shop.restarts(pod) == 0), shop::describe);
      assertEquals(1, shop.jobs().size());
    }
  }

  private void set(String... environment) {
    for (var deployment : DEPLOYMENTS) {
      lab.kubectl(
          "",
          Stream.concat(
                  Stream.of("-n", "migrations-operator", "set", "env", "deployment/" + deployment),
                  Stream.of(environment))
              .toArray(String[]::new));
    }
  }

  private void awaitReplaced() {
    lab.awaitOperator();
    lab.awaitThat(
        "the replicas before them are gone",
        () -> lab.list("/api/v1/namespaces/migrations-operator/pods").size() == 4);
  }

  /** The certificates that both services serve with now. */
  private List<String> leaves() throws Exception {
    var leaves = new ArrayList<String>();
    for (var deployment : DEPLOYMENTS) {
      leaves.add(certificate(lab.get(SECRETS + deployment + "-tls")));
    }
    return leaves;
  }

  private static final String SECRETS = "/api/v1/namespaces/migrations-operator/secrets/";

  private static String certificate(JsonObject secret) {
    return secret.getAsJsonObject("data").get("tls.crt").getAsString();
  }

  private static void told(String what, Load load, int begin) {
    System.out.printf(
        "%s while %d pods were made, %d a second; not gated or refused: %d%n",
        what, load.made() - begin, load.rate(), load.troubles().size());
  }
}
