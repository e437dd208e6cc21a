package net.coderanger.migrations.waiter;

import module java.base;

/**
 * Why a connection to the gate ended without {@code released}.
 *
 * @param text for people; the same for the same cause, so that a repetition can be told from a
 *     change
 * @param retryAfter how long the gate asks to be left alone
 */
record Fault(String text, Optional<Duration> retryAfter) {
  static Fault of(String text) {
    return new Fault(text, Optional.empty());
  }
}
