package net.coderanger.migrations.waiter;

import module java.base;

/**
 * How fast the waiter comes back, and when it speaks.
 *
 * @param initial the shortest pause before the gate is asked again
 * @param max the longest
 * @param maxRetryAfter the gate's own Retry-After counts up to here
 * @param silence without a line for this long, the connection is dead
 * @param reminder how often an unchanged state is told again
 */
record Pace(
    Duration initial, Duration max, Duration maxRetryAfter, Duration silence, Duration reminder) {

  /**
   * The pause after a number of failures in a row, doubling, spread over half its length so that
   * the waiters of a Deployment do not come back as one.
   *
   * @param failures from 1
   * @param jitter from 0 to 1
   */
  Duration pause(int failures, Optional<Duration> retryAfter, double jitter) {
    var doublings = Math.min(failures, 30);
    var ceiling = Math.min(max.toMillis(), initial.toMillis() << doublings);
    var pause = Math.max(initial.toMillis(), ceiling / 2) + (long) (ceiling / 2 * jitter);
    // A pause that the gate asks for is spread upwards: never earlier than asked.
    var asked =
        retryAfter
            .map(it -> Math.min(it.toMillis(), maxRetryAfter.toMillis()) * (1 + jitter / 4))
            .orElse(0.0);
    return Duration.ofMillis(Math.max(Math.min(pause, max.toMillis()), asked.longValue()));
  }
}
