package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** Both services are replaced, one replica after the other, while pods are made and pods wait. */
@Isolated // the load would be felt by others
class RollingE2E {
  private static final Duration BETWEEN_PODS = Duration.ofMillis(100);

  private final Lab lab = Lab.withOperator();

  /** What came of the pods that were made meanwhile. */
  private static final class Load implements AutoCloseable {
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final AtomicInteger made = new AtomicInteger();
    private final List<String> troubles = Collections.synchronizedList(new ArrayList<>());

    Load(Shop shop) {
      var template =
          com.google.gson.JsonParser.parseString(
                  // Not `required`: a pod that slips past shall be seen, not refused.
                  shop.podTemplate("dry", Shop.image(1), "").replace("required", "note"))
              .getAsJsonObject();
      template.getAsJsonObject("metadata").addProperty("generateName", "dry-");
      clock.scheduleAtFixedRate(
          () -> make(shop, template.toString()), 0, BETWEEN_PODS.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void make(Shop shop, String pod) {
      try {
        var answer =
            shop.lab.create("/api/v1/namespaces/%s/pods?dryRun=All".formatted(shop.namespace), pod);
        made.incrementAndGet();
        if (!isGated(answer)) {
          troubles.add("not gated: pod " + made.get());
        }
      } catch (Exception e) {
        troubles.add(e.toString());
      }
    }

    private static boolean isGated(JsonObject pod) {
      var containers = pod.getAsJsonObject("spec").getAsJsonArray("initContainers");
      return containers != null && containers.toString().contains("\"migrate-wait-shop\"");
    }

    @Override
    public void close() {
      clock.close();
    }
  }

  @Test
  void noPodSlipsPastAndNoWaiterIsLost() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(Shop.UNTIL_TOLD, "");
      shop.deployment(2, Shop.image(1));
      shop.awaitWaiting(2, Shop.image(1));
      var load = new Load(shop);
      try (load) {
        for (var deployment : List.of("injector-webhook", "migrator-controller")) {
          lab.kubectl(
              "", "-n", "migrations-operator", "rollout", "restart", "deployment/" + deployment);
        }
        lab.awaitOperator();
        shop.awaitThat(
            "the replicas before them are gone",
            () -> lab.list("/api/v1/namespaces/migrations-operator/pods").size() == 4);
      }
      System.out.printf(
          "both services replaced while %d pods were made: %d not gated or refused%n",
          load.made.get(), load.troubles.size());
      assertEquals(List.of(), load.troubles);
      assertTrue(load.made.get() > 50, "there was load");
      shop.letMigrationEnd();
      shop.awaitRunning(2, Shop.image(1));
      assertTrue(shop.pods().stream().allMatch(pod -> Shop.restarts(pod) == 0), shop::describe);
      assertEquals(1, shop.jobs().size());
    }
  }
}
