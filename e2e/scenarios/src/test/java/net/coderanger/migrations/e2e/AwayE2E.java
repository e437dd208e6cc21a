package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.openapi.ApiException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.parallel.Isolated;

/** Nobody has an API server while pods wait and a migration runs, and ends. */
@EnabledIfSystemProperty(
    named = "away.seconds",
    matches = "\\d+",
    disabledReason = "takes five minutes: -Daway.seconds=120; OutageIT shows the same in short")
@Isolated // it is everybody's API server
class AwayE2E {
  private static final Duration AWAY = Duration.ofSeconds(Long.getLong("away.seconds", 120));

  private static final String UNREACHABLE = "The API server cannot be reached";

  /** Each other one may have its own to say, but no more of it the longer it lasts. */
  private static final int MOST_COMPLAINTS = 8;

  private final Lab lab = Lab.withOperator();

  @Test
  void everythingSettlesByItselfAndTheLogSaysItOnce() throws Exception {
    try (var killer = new Killer(lab);
        var shop = new Shop(lab)) {
      var before = Instant.now();
      shop.migrator("sleep %d".formatted(AWAY.toSeconds() / 2 + 10), "");
      shop.deployment(3, Shop.image(1));
      shop.awaitWaiting(3, Shop.image(1));
      shop.runningMigration();
      killer.takeApiServerAway(AWAY);
      lab.awaitThat("the API server is away", () -> !isThere());
      var away = Instant.now();
      lab.awaitThat("the API server is back", AWAY.plus(Duration.ofMinutes(3)), this::isThere);
      var back = Instant.now();
      shop.awaitRunning(3, Shop.image(1));
      System.out.printf(
          "API server away for %d s; all pods run %d s after it is back%n",
          Duration.between(away, back).toSeconds(),
          Duration.between(back, Instant.now()).toSeconds());
      assertTrue(shop.pods().stream().allMatch(pod -> Shop.restarts(pod) == 0), shop::describe);
      assertEquals(1, shop.jobs().size(), shop::describe);
      lab.awaitOperator();
      for (var pod : lab.list("/api/v1/namespaces/migrations-operator/pods")) {
        var complaints =
            lines(Shop.name(pod), before).stream()
                .filter(line -> !line.contains(" INFO "))
                .toList();
        System.out.printf(
            "%s, %d restarts, complained: %s%n",
            Shop.name(pod), Shop.restarts(pod), String.join("\n  ", complaints));
        assertTrue(complaints.size() <= MOST_COMPLAINTS, complaints::toString);
        assertTrue(
            complaints.stream().filter(line -> line.contains(UNREACHABLE)).count()
                <= 1 + Shop.restarts(pod),
            complaints::toString);
      }
    }
  }

  private boolean isThere() {
    try {
      return !lab.list("/api/v1/nodes").isEmpty();
    } catch (ApiException _) {
      return false;
    }
  }

  /** What it logged since, in all its lives. */
  private List<String> lines(String pod, Instant since) {
    var log = new ArrayList<String>();
    for (var life : List.of("--previous=true", "--previous=false")) {
      try {
        lab.kubectl("", "-n", "migrations-operator", "logs", pod, life, "--since-time=" + since)
            .lines()
            .forEach(log::add);
      } catch (IllegalStateException e) {
        if (!e.getMessage().contains("previous terminated container")) {
          throw e;
        }
      }
    }
    return log;
  }
}
