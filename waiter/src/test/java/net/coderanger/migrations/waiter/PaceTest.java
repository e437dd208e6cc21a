package net.coderanger.migrations.waiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import org.junit.jupiter.api.Test;

class PaceTest {
  private static final Pace PACE =
      new Pace(
          Duration.ofMillis(200),
          Duration.ofSeconds(15),
          Duration.ofSeconds(60),
          Duration.ofSeconds(30),
          Duration.ofMinutes(5));

  @Test
  void everyPauseIsWithinItsBounds() {
    for (var failures = 1; failures < 100; failures++) {
      for (var jitter : new double[] {0, 0.5, 0.999}) {
        var pause = PACE.pause(failures, Optional.empty(), jitter);
        assertTrue(pause.compareTo(PACE.initial()) >= 0, () -> "too short: " + pause);
        assertTrue(pause.compareTo(PACE.max()) <= 0, () -> "too long: " + pause);
      }
    }
  }

  @Test
  void pausesDoubleAndAreSpread() {
    assertEquals(Duration.ofMillis(200), PACE.pause(1, Optional.empty(), 0));
    assertEquals(Duration.ofMillis(400), PACE.pause(1, Optional.empty(), 1));
    assertEquals(Duration.ofMillis(400), PACE.pause(2, Optional.empty(), 0));
    assertEquals(Duration.ofMillis(7500), PACE.pause(50, Optional.empty(), 0));
    assertEquals(Duration.ofSeconds(15), PACE.pause(50, Optional.empty(), 1));
  }

  @Test
  void theGatesWishIsHonouredNeverEarlyAndWithinReason() {
    assertEquals(Duration.ofSeconds(20), PACE.pause(1, Optional.of(Duration.ofSeconds(20)), 0));
    assertEquals(Duration.ofSeconds(25), PACE.pause(1, Optional.of(Duration.ofSeconds(20)), 1));
    assertEquals(Duration.ofSeconds(60), PACE.pause(1, Optional.of(Duration.ofDays(20)), 0));
    assertEquals(Duration.ofMillis(200), PACE.pause(1, Optional.of(Duration.ZERO), 0));
  }
}
