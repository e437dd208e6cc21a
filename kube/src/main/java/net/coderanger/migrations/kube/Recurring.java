package net.coderanger.migrations.kube;

import module java.base;

/**
 * Something that is tried again and again: each other fault of it is told once, and that it is
 * over. That the API server cannot be reached is told elsewhere, once for all.
 */
public final class Recurring {
  private final System.Logger log;
  private final String over;
  private String present = "";

  /**
   * Tells this log.
   *
   * @param over what to say when it succeeds again
   */
  public Recurring(System.Logger log, String over) {
    this.log = log;
    this.over = over;
  }

  /**
   * It has failed.
   *
   * @param what did, the subject of the line
   */
  public void failed(String what, Throwable e) {
    if (!ApiErrors.isOutage(e)) {
      failed(what + ": " + ApiErrors.describe(e));
    }
  }

  /** It has failed, as this line says. */
  public synchronized void failed(String line) {
    if (!line.equals(present)) {
      present = line;
      log.log(System.Logger.Level.WARNING, line);
    }
  }

  /** It has succeeded. */
  public synchronized void succeeded() {
    if (!present.isEmpty()) {
      present = "";
      log.log(System.Logger.Level.INFO, over);
    }
  }
}
