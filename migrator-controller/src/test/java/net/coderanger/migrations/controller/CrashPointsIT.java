package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;
import module java.logging;

import net.coderanger.migrations.controller.CrashStory.Plot;
import net.coderanger.migrations.controller.shell.Api;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * The controller stops before and after each of its writes, in every story; another one takes over
 * with nothing but what the API server holds. The outcome must be that of the undisturbed story:
 * the same executions, the same status, the same releases.
 *
 * <p>All stories are told at once, each in its namespace. A controller that has crashed for one of
 * them makes no call for it any more; once it has for all, it is closed and its successor starts.
 */
@ResourceLock(SharedKube.LEASE)
class CrashPointsIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final Logger SHELL =
      Logger.getLogger("net.coderanger.migrations.controller.shell.Reconciling");

  @BeforeAll
  static void quiet() {
    SHELL.setLevel(Level.OFF); // it would log each of the crashes
  }

  @AfterAll
  static void loud() {
    SHELL.setLevel(null);
  }

  @Test
  void whereverTheControllerStopsTheOutcomeIsTheSame() throws Exception {
    var undisturbed = new Crashes(Map.of());
    var outcomes = new EnumMap<Plot, String>(Plot.class);
    var writes = new EnumMap<Plot, Integer>(Plot.class);
    var references = new ArrayList<CrashStory>();
    for (var plot : Plot.values()) {
      references.add(new CrashStory(plot, name(plot) + "-undisturbed"));
    }
    try (var controller = new RunningController(SharedKube.get(), undisturbed)) {
      tell(references, CrashStory::isOver);
      for (var story : references) {
        outcomes.put(story.plot, story.outcome(controller));
        writes.put(story.plot, undisturbed.writes(story.namespace()));
      }
    }
    outcomes.forEach((plot, outcome) -> assertEquals(plot.outcome, outcome, plot.name()));

    var points = new HashMap<String, Crashes.Point>();
    var stories = new ArrayList<CrashStory>();
    for (var plot : Plot.values()) {
      for (var write = 1; write <= writes.get(plot); write++) {
        for (var after : List.of(false, true)) {
          var story =
              new CrashStory(
                  plot, "%s-%s-%d".formatted(name(plot), after ? "after" : "before", write));
          points.put(story.namespace(), new Crashes.Point(write, after));
          stories.add(story);
        }
      }
    }
    var crashes = new Crashes(points);
    try (var _ = new RunningController(SharedKube.get(), crashes)) {
      tell(stories, story -> crashes.hasCrashed(story.namespace()) || story.isOver());
    }
    // A write or two of a story depend on what the caches showed in between.
    var missed = stories.size() - crashes.count();
    assertTrue(
        missed <= Plot.values().length * 4,
        "%d of %d points were not reached".formatted(missed, stories.size()));
    System.out.printf("%d stories, crashed at %d points%n", stories.size(), crashes.count());

    try (var successor = new RunningController(SharedKube.get(), Api.Observer.NONE)) {
      tell(stories, CrashStory::isOver);
      for (var story : stories) {
        assertEquals(outcomes.get(story.plot), story.outcome(successor), story::toString);
      }
    }
  }

  /** Plays kubelet, controllers and users of each story until this holds for it. */
  private static void tell(List<CrashStory> stories, Predicate<CrashStory> end) {
    var left = new ArrayList<>(stories);
    try {
      await()
          .atMost(PATIENCE)
          .pollInterval(Duration.ofMillis(100))
          .until(
              () -> {
                for (var story : left) {
                  story.goOn();
                }
                left.removeIf(end);
                return left.isEmpty();
              });
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      throw new AssertionError("these do not end: " + left, e);
    }
  }

  private static String name(Plot plot) {
    return plot.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
