package net.coderanger.migrations.controller.gate;

import module java.base;

import io.helidon.config.Config;

/**
 * Settings of the gate.
 *
 * @param heartbeat how often a waiter hears of us though nothing changed
 * @param connects most callers at a time whose token and pod the API server is asked about
 * @param connectPatience how long a caller waits for its turn before it is told to come again
 * @param reviewMemory how long the answer of a review serves for more requests with the same token
 * @param waiters most callers at a time
 * @param longestWait after this, or half of it, a waiter is told to come again: its token is
 *     reviewed anew, the waits spread over new replicas, and none that is dead stays for ever
 * @param readTime how long a waiter may take to read what it is told before it is hung up on
 */
public record GateSettings(
    Duration heartbeat,
    int connects,
    Duration connectPatience,
    Duration reviewMemory,
    int waiters,
    Duration longestWait,
    Duration readTime) {
  /** An API server, too, still accepts the token of a deleted pod for so long. */
  private static final Duration LONGEST_MEMORY = Duration.ofSeconds(10);

  /**
   * Reads the node "gate".
   *
   * @throws IllegalArgumentException naming the key that has a bad value
   */
  public static GateSettings from(Config gate) {
    var settings =
        new GateSettings(
            gate.get("heartbeat").as(Duration.class).get(),
            gate.get("connects").asInt().get(),
            gate.get("connect-patience").as(Duration.class).get(),
            gate.get("review-memory").as(Duration.class).get(),
            gate.get("waiters").asInt().get(),
            gate.get("longest-wait").as(Duration.class).get(),
            gate.get("read-time").as(Duration.class).get());
    if (settings.heartbeat.isNegative() || settings.heartbeat.isZero()) {
      throw new IllegalArgumentException("gate.heartbeat must be positive");
    }
    if (settings.connects < 1 || settings.waiters < 1) {
      throw new IllegalArgumentException("gate.connects and gate.waiters must be at least 1");
    }
    if (settings.reviewMemory.isNegative() || settings.reviewMemory.compareTo(LONGEST_MEMORY) > 0) {
      throw new IllegalArgumentException("gate.review-memory must be between 0 and 10 seconds");
    }
    if (settings.longestWait.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new IllegalArgumentException("gate.longest-wait must be at least 1 second");
    }
    return settings;
  }
}
