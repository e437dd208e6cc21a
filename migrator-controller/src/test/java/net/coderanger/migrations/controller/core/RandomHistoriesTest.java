package net.coderanger.migrations.controller.core;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Whatever happens in whatever order, with caches that are behind and an operator that stops or
 * pauses between any two steps. What must never happen is checked by {@link World} at each step:
 * two migrations at once, an unmigrated image released, a success repeated, the guard off while a
 * migration works, decisions that differ.
 */
class RandomHistoriesTest {
  /** What can happen; the number says to whom or how far. */
  enum Event {
    ROLL_OUT((world, n) -> world.deploy("web", "shop:" + n % 4, 1 + n % 2)),
    ROLL_OUT_WORKER((world, n) -> world.deploy("worker", "shop:" + n % 4, 1)),
    ROLL_OUT_FOLLOWER(
        (world, n) -> world.deploy("follower", n % 2 == 0 ? "redis:7" : "shop:" + n % 4, 1)),
    SCALE((world, n) -> world.scale("web", n % 4)),
    BARE_POD((world, n) -> world.barePod("shop:" + n % 4)),
    APP_POD_DELETED(World::deleteAppPod),
    JOBS_DELETED((world, _) -> world.deleteJobs()),
    FINALIZER_REMOVED((world, _) -> world.stripFinalizer()),
    RUN_POD_DELETED((world, _) -> world.deleteRunPods()),
    EXIT_0((world, _) -> world.exit(0)),
    EXIT_0_TOO((world, _) -> world.exit(0)),
    EXIT_1((world, _) -> world.exit(1)),
    HINDERED((world, n) -> world.hindered = n % 2 == 0),
    COMMAND((world, n) -> world.edit(spec -> spec.command(List.of("migrate", "" + n % 3)))),
    MIGRATION_IMAGE(
        (world, n) -> world.edit(spec -> spec.image(n % 3 == 0 ? null : "migrator:" + n % 3))),
    LABELS((world, n) -> world.edit(spec -> spec.labels(Map.of("n", "" + n % 3)))),
    SUSPEND((world, n) -> world.edit(spec -> spec.suspend(n % 2 == 0))),
    LIMITS(
        (world, n) ->
            world.edit(
                spec ->
                    spec.backoffLimit(n % 3)
                        .successfulJobsHistoryLimit(n % 2)
                        .failedJobsHistoryLimit(n % 3))),
    REQUEST((world, _) -> world.request(world.now.toString())),
    MIGRATOR_DELETED((world, _) -> world.delete()),
    MIGRATOR_CREATED((world, _) -> world.create()),
    STATUS_LOST((world, _) -> world.loseStatus()),
    RECONCILE((world, _) -> world.reconcile()),
    RECONCILE_TOO((world, _) -> world.reconcile()),
    CRASH((world, n) -> world.reconcile(n, false)),
    LEADER_PAUSED((world, n) -> world.reconcile(n, true)),
    LEADER_RESUMES((world, _) -> world.resume()),
    JOB_CONTROLLER((world, _) -> world.jobController()),
    JOB_CONTROLLER_TOO((world, _) -> world.jobController()),
    KUBELET((world, _) -> world.kubelet()),
    KUBELET_TOO((world, _) -> world.kubelet()),
    GATE((world, _) -> world.gate()),
    DEPLOYMENT_CONTROLLER((world, _) -> world.deploymentController()),
    CACHE_BEHIND((world, n) -> world.freeze(World.Cache.values()[n % 3])),
    CACHES_CATCH_UP((world, _) -> world.thaw()),
    TIME((world, n) -> world.now = world.now.plusSeconds(1L << n)),
    TURN((world, _) -> world.calmTurn());

    private final BiConsumer<World, Integer> effect;

    Event(BiConsumer<World, Integer> effect) {
      this.effect = effect;
    }
  }

  record Happening(Event event, int n) {
    void to(World world) {
      world.now = world.now.plusSeconds(1);
      event.effect.accept(world, n);
    }
  }

  @Provide
  Arbitrary<List<Happening>> histories() {
    return Combinators.combine(Arbitraries.of(Event.class), Arbitraries.integers().between(0, 8))
        .as(Happening::new)
        .list()
        .ofMaxSize(120);
  }

  @Property
  void nothingThatMustNeverHappenHappensAndInTheEndEveryPodIsReleasedOrToldWhy(
      @ForAll("histories") List<Happening> history) {
    var world = new World();
    try {
      history.forEach(happening -> happening.to(world));
      theWorldBecomesKind(world);
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError(e.getMessage() + "\n" + String.join("\n", world.log), e);
    }
  }

  private static void theWorldBecomesKind(World world) {
    world.thaw();
    world.resume();
    world.hindered = false;
    world.edit(spec -> spec.suspend(false));
    world.settle(0);
    assertTrue(world.isQuiet());
    var migrator = world.migrator();
    if (migrator.isPresent()) {
      assertNull(migrator.get().status().getCurrent(), "a run goes on for ever");
      assertFalse(migrator.get().guarded(), "the guard stays on");
    }
    for (var pod : world.appPods()) {
      if (pod.isWaiting(Scene.NAME)
          && world.verdict(pod) instanceof Verdict.Waiting(_, var message, _, _, var stuck)) {
        assertTrue(stuck, "%s waits for nothing: %s".formatted(pod.name(), message));
        assertFalse(message.isBlank());
      }
    }
  }
}
