package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.extended.leaderelection.LeaderElectionConfig;
import io.kubernetes.client.extended.leaderelection.LeaderElector;
import io.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.kubernetes.client.openapi.ApiClient;

/**
 * Lets one replica act at a time. A lost lease ends the process: what it was about to do must not
 * be done any more. What a leader that was paused does after all is refused by resourceVersion.
 */
final class Leadership implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Leadership.class.getName());

  private final LeaderElector elector;
  private final Thread thread;
  private volatile boolean leading;
  private volatile boolean closing;

  Leadership(ApiClient client, ControllerSettings settings, Runnable act) {
    var lock =
        new LeaseLock(settings.namespace(), "migrator-controller", settings.identity(), client);
    elector =
        new LeaderElector(
            new LeaderElectionConfig(
                lock, settings.leaseDuration(), settings.renewDeadline(), settings.retryPeriod()),
            error ->
                LOG.log(System.Logger.Level.WARNING, "Leader election: {0}", error.getMessage()));
    thread =
        Thread.ofPlatform()
            .daemon()
            .name("leader-election")
            .unstarted(() -> elector.run(() -> lead(act), this::lost));
  }

  void start() {
    thread.start();
  }

  boolean isLeading() {
    return leading;
  }

  private void lead(Runnable act) {
    LOG.log(System.Logger.Level.INFO, "This replica leads now");
    leading = true;
    act.run();
  }

  private void lost() {
    if (leading && !closing) {
      LOG.log(System.Logger.Level.ERROR, "The lease was lost; the process ends");
      Runtime.getRuntime().halt(1);
    }
  }

  /** Releases the lease, so that another replica leads at once. */
  @Override
  public void close() {
    closing = true;
    thread.interrupt();
    elector.close();
  }
}
