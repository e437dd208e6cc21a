package net.coderanger.migrations.controller.shell;

import module java.base;

/** Told of what happens; for metrics. */
public interface Progress {
  /**
   * A reconcile ended.
   *
   * @param outcome done, again, conflict or error
   */
  void reconciled(Key key, String outcome, Duration took);

  /** A pod of an unmigrated image has no waiter. */
  default void slippedPast(Key key) {}
}
