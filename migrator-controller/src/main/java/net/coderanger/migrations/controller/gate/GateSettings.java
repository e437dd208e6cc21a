package net.coderanger.migrations.controller.gate;

import module java.base;

import io.helidon.config.Config;

/**
 * Settings of the gate.
 *
 * @param heartbeat how often a waiter hears of us though nothing changed
 * @param reviews most token reviews at a time
 * @param reviewPatience how long a caller waits for its review before it is told to come again
 * @param waiters most callers at a time
 */
public record GateSettings(Duration heartbeat, int reviews, Duration reviewPatience, int waiters) {
  /**
   * Reads the node "gate".
   *
   * @throws IllegalArgumentException naming the key that has a bad value
   */
  public static GateSettings from(Config gate) {
    var settings =
        new GateSettings(
            gate.get("heartbeat").as(Duration.class).get(),
            gate.get("reviews").asInt().get(),
            gate.get("review-patience").as(Duration.class).get(),
            gate.get("waiters").asInt().get());
    if (settings.heartbeat.isNegative() || settings.heartbeat.isZero()) {
      throw new IllegalArgumentException("gate.heartbeat must be positive");
    }
    if (settings.reviews < 1 || settings.waiters < 1) {
      throw new IllegalArgumentException("gate.reviews and gate.waiters must be at least 1");
    }
    return settings;
  }
}
