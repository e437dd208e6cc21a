package net.coderanger.migrations.controller.gate;

import module java.base;

import net.coderanger.migrations.controller.shell.Caches;
import net.coderanger.migrations.controller.shell.Key;
import net.coderanger.migrations.controller.shell.Observation;

/** The crowds of all Migrators for which somebody waits here. */
final class Crowds {
  private static final class Counted {
    private final Crowd crowd;
    private int members;

    private Counted(Crowd crowd) {
      this.crowd = crowd;
    }
  }

  private final Map<Key, Counted> byKey = new ConcurrentHashMap<>();
  private final Caches caches;
  private final Observation observation;

  Crowds(Caches caches, Observation observation) {
    this.caches = caches;
    this.observation = observation;
  }

  /** Joins one who waits; to be given back by {@link #leave}. */
  Crowd join(Key key) {
    return byKey.compute(
            key,
            (_, present) -> {
              var counted =
                  present == null ? new Counted(new Crowd(key, caches, observation)) : present;
              counted.members++;
              return counted;
            })
        .crowd;
  }

  void leave(Key key) {
    byKey.computeIfPresent(key, (_, counted) -> --counted.members == 0 ? null : counted);
  }

  /** The Migrator has changed. */
  void change(Key key) {
    var counted = byKey.get(key);
    if (counted != null) {
      counted.crowd.change();
    }
  }

  /** Everything has changed. */
  void changeAll() {
    byKey.values().forEach(counted -> counted.crowd.change());
  }
}
