package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * How long after the end of a migration the application starts, beside what the kubelet alone needs
 * from one container's end to the next one's start. Both containers read the node's uptime (10 ms),
 * since Kubernetes' own times have whole seconds.
 */
@Isolated // what others do at the time would be measured too
class ReleaseLagE2E {
  private static final int ROUNDS = Integer.getInteger("lag.rounds", 3);
  private static final String STAMP = "cut -d' ' -f1 /proc/uptime";

  private final Lab lab = Lab.withOperator();

  @Test
  void noApplicationStartsBeforeItsMigrationHasEnded() throws Exception {
    var lags = new ArrayList<Double>();
    var kubelet = new ArrayList<Double>();
    for (var round = 0; round < ROUNDS; round++) {
      lags.add(lag());
      kubelet.add(kubeletAlone());
    }
    System.out.printf(
        "end of the migration -> application starts: median %.2f s, max %.2f s; kubelet alone, init"
            + " container -> container: median %.2f s, max %.2f s (%d rounds)%n",
        median(lags), Collections.max(lags), median(kubelet), Collections.max(kubelet), ROUNDS);
    assertTrue(lags.stream().allMatch(lag -> lag > 0), lags::toString);
  }

  private double lag() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator("sleep 3; " + STAMP, "");
      // Refused until the injector has heard of the Migrator; a workload's controller would try
      // again.
      shop.awaitThat(
          "the pod is taken",
          () -> {
            try {
              create(shop, "\"migrations.coderanger.net/required\":\"true\"", "");
              return true;
            } catch (ApiException e) {
              assertEquals(403, e.getCode(), e::getResponseBody);
              return false;
            }
          });
      shop.awaitRunning(1, Shop.image(1));
      return stamp(shop, shop.pods().getFirst(), "app")
          - stamp(shop, shop.migrationPods().getFirst(), "migrations");
    }
  }

  private double kubeletAlone() throws Exception {
    try (var shop = new Shop(lab)) {
      create(
          shop,
          "",
          """
          "initContainers":[{"name":"first","image":"%s","command":["sh","-c","sleep 3; %s"],
           "securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}],
          """
              .formatted(Shop.image(1), STAMP));
      shop.awaitRunning(1, Shop.image(1));
      var pod = shop.pods().getFirst();
      return stamp(shop, pod, "app") - stamp(shop, pod, "first");
    }
  }

  private static void create(Shop shop, String annotations, String initContainers)
      throws ApiException {
    shop.create(
        "v1",
        "pods",
        """
        {"metadata":{"name":"shop","labels":{"app":"shop"},"annotations":{%s}},
         "spec":{%s"terminationGracePeriodSeconds":1,
          "securityContext":{"runAsNonRoot":true,"runAsUser":1000,"seccompProfile":{"type":"RuntimeDefault"}},
          "containers":[{"name":"app","image":"%s","imagePullPolicy":"IfNotPresent",
           "command":["sh","-c","%s; sleep 600"],
           "securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}
        """
            .formatted(annotations, initContainers, Shop.image(1), STAMP));
  }

  private double stamp(Shop shop, JsonObject pod, String container) {
    var log = new AtomicReference<>("");
    shop.awaitThat(
        container + " has stamped",
        () -> {
          log.set(lab.log(shop.namespace, Shop.name(pod), container).strip());
          return !log.get().isEmpty();
        });
    return Double.parseDouble(log.get().lines().reduce((first, second) -> second).orElseThrow());
  }

  private static double median(List<Double> values) {
    var sorted = values.stream().sorted().toList();
    return (sorted.get((sorted.size() - 1) / 2) + sorted.get(sorted.size() / 2)) / 2;
  }
}
