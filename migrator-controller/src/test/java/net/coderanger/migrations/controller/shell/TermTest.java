package net.coderanger.migrations.controller.shell;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.extended.leaderelection.LeaderElectionRecord;
import io.kubernetes.client.extended.leaderelection.Lock;
import org.junit.jupiter.api.Test;

class TermTest {
  private static final Duration LENGTH = Duration.ofSeconds(10);
  private static final Duration LEASE = Duration.ofSeconds(15);

  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5); // it may overflow
  private final AtomicReference<Instant> time =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private boolean succeeds = true;
  private Duration takes = Duration.ZERO;
  private LeaderElectionRecord stored = by("them");
  private final Term term = new Term(new FakeLock(), LENGTH, LEASE, nanos::get, new FakeClock());

  @Test
  void itIsNotOursBeforeItWasTaken() {
    assertFalse(term.isOurs());
    succeeds = false;
    term.create(by("us"));
    assertFalse(term.isOurs());
  }

  @Test
  void itIsOursForAWhileAfterEachRenewal() {
    term.create(by("us"));
    pass(LENGTH.minusMillis(1));
    assertTrue(term.isOurs());
    term.update(by("us"));
    pass(LENGTH.minusMillis(1));
    assertTrue(term.isOurs());
    pass(Duration.ofMillis(1));
    assertFalse(term.isOurs());
  }

  @Test
  void aRenewalThatFailedProlongsNothing() {
    term.create(by("us"));
    pass(Duration.ofSeconds(6));
    succeeds = false;
    term.update(by("us"));
    pass(Duration.ofSeconds(4));
    assertFalse(term.isOurs());
  }

  @Test
  void itCountsFromWhereTheRenewalBegan() {
    takes = Duration.ofSeconds(4);
    term.create(by("us"));
    pass(Duration.ofSeconds(6));
    assertFalse(term.isOurs());
  }

  @Test
  void aReleasedOneIsNotOurs() {
    term.create(by("us"));
    term.update(by(""));
    assertFalse(term.isOurs());
  }

  @Test
  void aMachineThatStoodStillNoticesByTheTime() {
    term.create(by("us"));
    time.updateAndGet(it -> it.plus(LENGTH));
    assertFalse(term.isOurs());
  }

  @Test
  void aClockThatIsSetCostsNoMoreThanARenewal() {
    term.create(by("us"));
    time.updateAndGet(it -> it.minus(Duration.ofHours(1)));
    assertFalse(term.isOurs());
    term.update(by("us"));
    assertTrue(term.isOurs());
  }

  @Test
  void aClockThatIsSetForwardDoesNotTakeTheLeaseOfAnother() throws Exception {
    term.get();
    pass(LEASE.minusMillis(1));
    time.updateAndGet(it -> it.plus(Duration.ofHours(1)));
    assertNotNull(term.get().getRenewTime(), "it is not free");
    assertFalse(term.update(by("us")));
    assertFalse(term.isOurs());
  }

  @Test
  void aClockThatIsSetBackDoesNotKeepTheLeaseOfAnother() throws Exception {
    term.get();
    pass(LEASE);
    time.updateAndGet(it -> it.minus(Duration.ofHours(1)));
    assertNull(term.get().getRenewTime(), "as if it were free, whatever the elector reckons");
    assertTrue(term.update(by("us")));
    assertTrue(term.isOurs());
  }

  @Test
  void theLeaseOfAnotherCountsFromItsLastRenewal() throws Exception {
    term.get();
    pass(LEASE.minusMillis(1));
    stored = by("them");
    stored.setRenewTime(new Date(1));
    term.get();
    pass(LEASE.minusMillis(1));
    assertFalse(term.update(by("us")));
    pass(Duration.ofMillis(1));
    assertTrue(term.update(by("us")));
  }

  @Test
  void itIsNotOursAnyMoreOnceAnotherWasGivenIt() throws Exception {
    term.create(by("us"));
    term.get();
    assertFalse(term.isOurs());
  }

  @Test
  void aReleasedOneCanBeTakenAtOnce() throws Exception {
    term.get();
    stored = by("");
    term.get();
    assertTrue(term.update(by("us")));
  }

  private void pass(Duration duration) {
    nanos.addAndGet(duration.toNanos());
    time.updateAndGet(it -> it.plus(duration));
  }

  private static LeaderElectionRecord by(String holder) {
    var terms = new LeaderElectionRecord();
    terms.setHolderIdentity(holder);
    terms.setAcquireTime(new Date(0));
    terms.setRenewTime(new Date(0));
    return terms;
  }

  private final class FakeLock implements Lock {
    @Override
    public LeaderElectionRecord get() { // a new one each time, as from the API server
      var terms = new LeaderElectionRecord();
      terms.setHolderIdentity(stored.getHolderIdentity());
      terms.setAcquireTime(stored.getAcquireTime());
      terms.setRenewTime(stored.getRenewTime());
      return terms;
    }

    @Override
    public boolean create(LeaderElectionRecord terms) {
      pass(takes);
      return succeeds;
    }

    @Override
    public boolean update(LeaderElectionRecord terms) {
      return create(terms);
    }

    @Override
    public String identity() {
      return "us";
    }

    @Override
    public String describe() {
      return "fake";
    }
  }

  private final class FakeClock extends Clock {
    @Override
    public Instant instant() {
      return time.get();
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }
}
