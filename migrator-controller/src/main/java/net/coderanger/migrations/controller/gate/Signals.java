package net.coderanger.migrations.controller.gate;

import module java.base;

import net.coderanger.migrations.controller.shell.Key;

/** Wakes those who wait for a change of a Migrator; a change between two looks is never missed. */
final class Signals {
  /** Counts the changes of one Migrator. */
  private static final class Counter {
    private long changes;
    private int waiters;

    synchronized long changes() {
      return changes;
    }

    synchronized void change() {
      changes++;
      notifyAll();
    }

    synchronized void await(long seen, Duration atMost) throws InterruptedException {
      var until = System.nanoTime() + atMost.toNanos();
      while (changes == seen) {
        var left = until - System.nanoTime();
        if (left <= 0) {
          return;
        }
        TimeUnit.NANOSECONDS.timedWait(this, left);
      }
    }
  }

  private final Map<Key, Counter> counters = new ConcurrentHashMap<>();

  /** Registers one who waits; to be given back by {@link #leave}. */
  void enter(Key key) {
    counters.compute(
        key,
        (_, counter) -> {
          var present = counter == null ? new Counter() : counter;
          present.waiters++;
          return present;
        });
  }

  void leave(Key key) {
    counters.computeIfPresent(key, (_, counter) -> --counter.waiters == 0 ? null : counter);
  }

  /** The number of changes so far, to be given to {@link #await}. */
  long seen(Key key) {
    return counters.get(key).changes();
  }

  /**
   * Returns as soon as there is a change after the one given, and at the latest after this time.
   */
  void await(Key key, long seen, Duration atMost) throws InterruptedException {
    counters.get(key).await(seen, atMost);
  }

  /** The Migrator has changed. */
  void change(Key key) {
    var counter = counters.get(key);
    if (counter != null) {
      counter.change();
    }
  }

  /** Everything has changed. */
  void changeAll() {
    counters.values().forEach(Counter::change);
  }
}
