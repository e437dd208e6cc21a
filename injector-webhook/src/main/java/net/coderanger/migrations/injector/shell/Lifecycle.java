package net.coderanger.migrations.injector.shell;

import module java.base;

import io.helidon.common.Weighted;
import io.helidon.spi.HelidonShutdownHandler;

/**
 * From not yet ready, through ready, to draining. On SIGTERM it goes before the server's own
 * handler, which closes the sockets: first not ready, then a moment to be forgotten by those who
 * would still send.
 */
public final class Lifecycle implements HelidonShutdownHandler, Weighted {
  private final Duration drain;
  private volatile boolean warm;
  private volatile boolean draining;

  /**
   * @param drain from the beginning of the end to the closing of the sockets
   */
  public Lifecycle(Duration drain) {
    this.drain = drain;
  }

  /** From now on requests are answered at full speed. */
  public void warm() {
    warm = true;
  }

  /** Whether requests shall be sent here, as far as this process itself is concerned. */
  boolean takesRequests() {
    return warm && !draining;
  }

  /** Whether the sockets will be closed soon, so that nobody shall keep a connection. */
  boolean isDraining() {
    return draining;
  }

  @Override
  public double weight() {
    return Weighted.DEFAULT_WEIGHT + 1;
  }

  @Override
  public void shutdown() {
    draining = true;
    try {
      Thread.sleep(drain);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
