package net.coderanger.migrations.controller.shell;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.extended.leaderelection.LeaderElectionRecord;
import io.kubernetes.client.extended.leaderelection.Lock;
import org.junit.jupiter.api.Test;

class TermTest {
  private static final Duration LENGTH = Duration.ofSeconds(10);

  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5); // it may overflow
  private final AtomicReference<Instant> time =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
  private boolean succeeds = true;
  private Duration takes = Duration.ZERO;
  private final Term term = new Term(new FakeLock(), LENGTH, nanos::get, new FakeClock());

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

  private void pass(Duration duration) {
    nanos.addAndGet(duration.toNanos());
    time.updateAndGet(it -> it.plus(duration));
  }

  private static LeaderElectionRecord by(String holder) {
    var terms = new LeaderElectionRecord();
    terms.setHolderIdentity(holder);
    return terms;
  }

  private final class FakeLock implements Lock {
    @Override
    public LeaderElectionRecord get() {
      throw new UnsupportedOperationException();
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
