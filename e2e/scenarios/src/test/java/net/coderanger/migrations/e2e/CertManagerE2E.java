package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The overlay deploy/cert-manager in a cluster with cert-manager itself. */
@EnabledIfSystemProperty(
    named = "cert-manager",
    matches = "installed",
    disabledReason =
        "-Dcert-manager=installed runs it, in a cluster where cert-manager is installed")
class CertManagerE2E extends InsteadOfTheDefault {
  private static final String OVERLAY = Lab.root().resolve("deploy/cert-manager").toString();
  private static final String CERTIFICATES =
      "/apis/cert-manager.io/v1/namespaces/migrations-operator/certificates/";

  /** The kubelet looks at a mounted Secret once a minute or two. */
  private static final Duration UNTIL_MOUNTED = Duration.ofMinutes(5);

  @Test
  void theMainJobIsDoneAndARenewedCertificateIsServedWhilePodsAreMadeAndWait() throws Exception {
    lab.kubectl("", "apply", "--server-side", "-k", OVERLAY);
    try (var shop = new Shop(lab);
        var waiting = new Shop(lab)) {
      lab.awaitOperator();
      theMainJobIsDone(shop);

      waiting.migrator(Shop.UNTIL_TOLD, "");
      waiting.deployment(2, Shop.image(1));
      waiting.awaitWaiting(2, Shop.image(1));
      try (var load = new Load(shop)) {
        for (var service : List.of("migrator-controller", "injector-webhook")) {
          var before = served(service);
          assertEquals(2, before.size(), "replicas of " + service);
          renew(service);
          lab.awaitThat(
              "each replica of %s serves a later certificate than %s".formatted(service, before),
              UNTIL_MOUNTED,
              () -> Collections.min(served(service)) > Collections.max(before));
        }
        var made = load.made();
        lab.awaitThat("a hundred pods more are made", () -> load.made() > made + 100);
        assertEquals(List.of(), load.troubles());
        System.out.printf("%d pods made meanwhile, %d a second%n", load.made(), load.rate());
      }
      waiting.letMigrationEnd();
      waiting.awaitRunning(2, Shop.image(1));
      assertTrue(
          waiting.pods().stream().allMatch(pod -> Shop.restarts(pod) == 0), waiting::describe);
    } finally {
      lab.kubectl("", "delete", "-k", OVERLAY, "--ignore-not-found", "--timeout=120s");
    }
  }

  /** When the certificate of each ready replica ends, in seconds since 1970. */
  private static List<Double> served(String service) throws Exception {
    var ends = new ArrayList<Double>();
    for (var pod :
        lab.list(
            "/api/v1/namespaces/migrations-operator/pods?labelSelector=app.kubernetes.io/name%3D"
                + service)) {
      lab.kubectl(
              "",
              "get",
              "--raw",
              "/api/v1/namespaces/migrations-operator/pods/%s:8080/proxy/metrics"
                  .formatted(Shop.name(pod)))
          .lines()
          .filter(line -> line.matches("migrations_\\w+_certificate_not_after_seconds.*"))
          .map(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
          .forEach(ends::add);
    }
    return ends;
  }

  /** What `cmctl renew` does. */
  private static void renew(String certificate) throws Exception {
    var conditions =
        lab.get(CERTIFICATES + certificate).getAsJsonObject("status").getAsJsonArray("conditions");
    conditions.add(
        com.google.gson.JsonParser.parseString(
            """
            {"type":"Issuing","status":"True","reason":"ManuallyTriggered","message":"asked for by a test",
             "lastTransitionTime":"%s"}
            """
                .formatted(Instant.now().truncatedTo(ChronoUnit.SECONDS))));
    lab.patch(
        CERTIFICATES + certificate + "/status",
        "{\"status\":{\"conditions\":%s}}".formatted(conditions));
  }
}
