package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.Isolated;

/** Takes the operator that all other tests use away before each test, and puts it back at last. */
@Isolated // others need what is taken away here
@Execution(ExecutionMode.SAME_THREAD)
abstract class InsteadOfTheDefault {
  private static final String DEFAULT = Lab.root().resolve("deploy/default").toString();

  static Lab lab;

  @BeforeAll
  static void start() {
    lab = Lab.withOperator();
  }

  @BeforeEach
  void takeAway() {
    lab.kubectl("", "delete", "-k", DEFAULT, "--ignore-not-found", "--timeout=120s");
  }

  @AfterAll
  static void putBack() {
    lab.kubectl("", "apply", "--server-side", "--force-conflicts", "-k", DEFAULT);
    lab.awaitOperator();
  }

  /** Two images, whose pods are held until the migration of each has ended, in a new shop. */
  static void theMainJobIsDone(Shop shop) throws Exception {
    shop.migrator(Shop.UNTIL_TOLD, "\"successfulJobsHistoryLimit\":5");
    // Under OLM no policy holds `required` until the webhook is reached.
    shop.awaitThat("pods are gated", () -> Load.isGated(shop.dryRun()));
    shop.deployment(2, Shop.image(1));
    for (var tag : List.of(1, 2)) {
      shop.roll("shop", Shop.image(tag));
      shop.awaitThat(
          "pods of the new image wait",
          () -> shop.pods().stream().anyMatch(pod -> waitsWith(pod, Shop.image(tag))));
      shop.letMigrationEnd();
      shop.awaitRunning(2, Shop.image(tag));
    }
    assertEquals(2, shop.jobs().size(), shop::describe);
    assertTrue(shop.pods().stream().allMatch(pod -> Shop.restarts(pod) == 0), shop::describe);
  }

  private static boolean waitsWith(JsonObject pod, String image) {
    return Shop.image(pod).equals(image) && Shop.isInWaiter(pod);
  }
}
