package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.extended.leaderelection.LeaderElectionRecord;
import io.kubernetes.client.extended.leaderelection.Lock;
import io.kubernetes.client.openapi.ApiException;

/**
 * The lease, and whether it is ours for certain: until a while after its last renewal began, since
 * nobody else began to count earlier. Who was paused for longer and wakes knows it at once, before
 * the election has noticed.
 */
final class Term implements Lock {
  private final Lock lock;
  private final Duration length;
  private final LongSupplier nanos;
  private final Clock clock;
  private volatile Optional<Moment> renewed = Optional.empty();

  /** By both clocks: one stands still while a virtual machine does, the other one is set. */
  private record Moment(long nanos, Instant time) {}

  /**
   * Renews this lock.
   *
   * @param length shorter than the lease, by the time that a call may take
   */
  Term(Lock lock, Duration length, LongSupplier nanos, Clock clock) {
    this.lock = lock;
    this.length = length;
    this.nanos = nanos;
    this.clock = clock;
  }

  /** Whether nobody else can hold the lease. */
  boolean isOurs() {
    return renewed
        .filter(it -> nanos.getAsLong() - it.nanos() < length.toNanos())
        .filter(it -> Duration.between(it.time(), clock.instant()).abs().compareTo(length) < 0)
        .isPresent();
  }

  @Override
  public boolean create(LeaderElectionRecord terms) {
    return renewed(terms, () -> lock.create(terms));
  }

  @Override
  public boolean update(LeaderElectionRecord terms) {
    return renewed(terms, () -> lock.update(terms));
  }

  private boolean renewed(LeaderElectionRecord terms, BooleanSupplier call) {
    var begin = new Moment(nanos.getAsLong(), clock.instant());
    var ours = identity().equals(terms.getHolderIdentity());
    if (!ours) { // it is being released
      renewed = Optional.empty();
    }
    var done = call.getAsBoolean();
    if (done && ours) {
      renewed = Optional.of(begin);
    }
    return done;
  }

  @Override
  public LeaderElectionRecord get() throws ApiException {
    return lock.get();
  }

  @Override
  public String identity() {
    return lock.identity();
  }

  @Override
  public String describe() {
    return lock.describe();
  }
}
