package net.coderanger.migrations.controller.shell;

import module java.base;

/** Told of each reconcile's end; for metrics. */
public interface Progress {
  /**
   * A reconcile ended.
   *
   * @param outcome done, again, conflict or error
   */
  void reconciled(Key key, String outcome, Duration took);
}
