package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.extended.leaderelection.LeaderElectionRecord;
import io.kubernetes.client.extended.leaderelection.Lock;
import io.kubernetes.client.openapi.ApiException;

/**
 * The lease, and whether it is ours for certain: until a while after its last renewal began, since
 * nobody else began to count earlier. Who was paused for longer and wakes knows it at once, before
 * the election has noticed.
 *
 * <p>The lease of another one has ended when it was not renewed for its duration, by the clock that
 * nobody can set. The elector reckons by the time of day: set forward, it would take the lease of a
 * leader that is alive, and set back, leave that of a dead one until the time has come again.
 */
final class Term implements Lock {
  private final Lock lock;
  private final Duration length;
  private final Duration lease;
  private final LongSupplier nanos;
  private final Clock clock;
  private volatile Optional<Moment> renewed = Optional.empty();
  private volatile Optional<Sight> others = Optional.empty();

  /** By both clocks: one stands still while a virtual machine does, the other one is set. */
  private record Moment(long nanos, Instant time) {}

  /** What another one holds, and since when we have seen it so. */
  private record Sight(LeaderElectionRecord terms, long nanos) {}

  /**
   * Renews this lock.
   *
   * @param length shorter than the lease, by the time that a call may take
   * @param lease how long a lease lasts that is not renewed
   */
  Term(Lock lock, Duration length, Duration lease, LongSupplier nanos, Clock clock) {
    this.lock = lock;
    this.length = length;
    this.lease = lease;
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
    if (isOurs(terms) && others.isPresent() && !hasEnded(others.get())) {
      return false;
    }
    return renewed(terms, () -> lock.update(terms));
  }

  private boolean renewed(LeaderElectionRecord terms, BooleanSupplier call) {
    var begin = new Moment(nanos.getAsLong(), clock.instant());
    var ours = isOurs(terms);
    if (!ours) { // it is being released
      renewed = Optional.empty();
    }
    var done = call.getAsBoolean();
    if (done && ours) {
      renewed = Optional.of(begin);
      others = Optional.empty();
    }
    return done;
  }

  @Override
  public LeaderElectionRecord get() throws ApiException {
    var terms = lock.get();
    if (isOurs(terms) || Objects.requireNonNullElse(terms.getHolderIdentity(), "").isEmpty()) {
      others = Optional.empty();
      return terms;
    }
    renewed = Optional.empty(); // or somebody who edits the Lease makes two leaders of us
    var before = others.filter(it -> it.terms().equals(terms));
    if (before.isEmpty()) {
      others = Optional.of(new Sight(terms, nanos.getAsLong()));
    } else if (hasEnded(before.get())) {
      terms.setRenewTime(null); // so the elector knows one that is free
    }
    return terms;
  }

  private boolean isOurs(LeaderElectionRecord terms) {
    return identity().equals(terms.getHolderIdentity());
  }

  private boolean hasEnded(Sight sight) {
    return nanos.getAsLong() - sight.nanos() >= lease.toNanos();
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
