package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.extended.leaderelection.LeaderElectionConfig;
import io.kubernetes.client.extended.leaderelection.LeaderElector;
import io.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.kubernetes.client.openapi.ApiClient;
import java.util.logging.LogRecord;
import net.coderanger.migrations.kube.Recurring;

/**
 * Lets one replica act at a time. A lost lease ends the process: what it was about to do must not
 * be done any more. A leader that was paused may not act when it wakes; what it was in the middle
 * of is refused by resourceVersion.
 */
final class Leadership implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Leadership.class.getName());

  /** It alone is told why a lease could not be written, with a stack; kept for its filter. */
  private static final java.util.logging.Logger LEASE_LOCK =
      java.util.logging.Logger.getLogger(LeaseLock.class.getName());

  private final Recurring electing = new Recurring(LOG, "Leader election goes on");
  private final Term term;
  private final LeaderElector elector;
  private final Thread thread;
  private volatile boolean leading;
  private volatile boolean closing;

  Leadership(ApiClient client, ControllerSettings settings, Runnable act) {
    term =
        new Term(
            new LeaseLock(settings.namespace(), "migrator-controller", settings.identity(), client),
            settings.renewDeadline(),
            settings.leaseDuration(),
            System::nanoTime,
            Clock.systemUTC());
    elector =
        new LeaderElector(
            new LeaderElectionConfig(
                term, settings.leaseDuration(), settings.renewDeadline(), settings.retryPeriod()),
            error -> electing.failed("Leader election", error));
    LEASE_LOCK.setFilter(this::isWorthItsStack);
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

  /** Whether this replica leads, and no other one can by now. */
  boolean mayAct() {
    return leading && term.isOurs();
  }

  private boolean isWorthItsStack(LogRecord told) {
    if (told.getThrown() == null) {
      return true;
    }
    electing.failed("Leader election", told.getThrown());
    return false;
  }

  private void lead(Runnable act) {
    electing.succeeded();
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
