package net.coderanger.migrations.controller.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.MigrationFailure;
import net.coderanger.migrations.api.v1beta1.MigrationRecord;
import net.coderanger.migrations.api.v1beta1.MigratorStatus;
import net.coderanger.migrations.controller.core.PodView.ContainerState;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The Migrator's fields, annotation and status as users know them. */
class ApiTest {
  private final Scene scene = new Scene();
  private final Template web1 = Scene.replicaSet("web", 1, "shop:1");
  private final Template web2 = Scene.replicaSet("web", 2, "shop:2");

  private Decision applied() {
    var decision = scene.decide();
    scene.status = decision.status();
    return decision;
  }

  private JobView started() {
    var decision = applied();
    scene.guarded = true;
    var job = Scene.view(decision.start().orElseThrow().job(), scene.uid);
    scene.jobs.add(job);
    return job;
  }

  private void exits(JobView job, int code) {
    scene.add(Scene.runPod(job).started(scene.now).exited(code, scene.now).build(), null);
    scene.jobs.remove(job);
    scene.jobs.add(Scene.ended(job, code == 0, scene.now));
  }

  private String verdict() {
    return switch (scene.verdict(scene.pods.getFirst())) {
      case Verdict.Released _ -> "Released";
      case Verdict.Waiting waits -> waits.reason();
    };
  }

  @Nested
  class Suspend {
    @Test
    void startsNoRunAndSaysSoToMigratorAndPods() {
      scene.waiting("a", web1);
      scene.spec.setSuspend(true);
      var decision = scene.decide();
      assertEquals(List.of(), decision.effects());
      assertEquals("MigrationsSuspended", Scene.reason(decision));
      var told = assertInstanceOf(Verdict.Waiting.class, scene.verdict(scene.pods.getFirst()));
      assertEquals("MigrationsSuspended", told.reason());
      assertTrue(told.stuck());
    }

    @Test
    void letsARunningOneGoOn() {
      scene.waiting("a", web1);
      exits(started(), 0);
      scene.spec.setSuspend(true);
      scene.generation++;
      assertEquals("shop:1", applied().status().getLastSuccessfulMigration());
      assertEquals("Released", verdict());
    }

    @Test
    void holdsTheNextAttemptBackAndTellsThePods() {
      scene.waiting("a", web1);
      exits(started(), 1);
      applied();
      scene.spec.setSuspend(true);
      scene.now = scene.now.plusSeconds(60);
      assertEquals("MigrationsSuspended", Scene.reason(applied()));
      assertEquals("MigrationsSuspended", verdict());
    }

    @Test
    void ofAnIdleMigratorChangesNothing() {
      scene.migrated("shop:1", Scene.T0);
      scene.released("a", web1);
      scene.spec.setSuspend(true);
      assertEquals("MigrationsUpToDate", Scene.reason(scene.decide()));
    }
  }

  @Nested
  class RunRequested {
    @Test
    void afterASuccessRunsAgainWhileTheGateStaysOpen() {
      scene.migrated("shop:1", Scene.T0);
      scene.waiting("a", web1);
      scene.annotations.put(Vocabulary.RUN_REQUESTED, "1");
      assertEquals("shop:1", Scene.starts(scene.decide()));
      exits(started(), 0);
      assertEquals("Released", verdict());
      applied();
      assertEquals("", Scene.starts(scene.decide()), "once a value");
      assertEquals("1", scene.status.getRunRequestHandled());
    }

    @Test
    void takesTheImageOfTheNewestRevision() {
      scene.migrated("shop:1", Scene.T0).migrated("shop:2", Scene.T0);
      scene.released("a", web1);
      scene.released("b", web2);
      scene.annotations.put(Vocabulary.RUN_REQUESTED, "1");
      assertEquals("shop:2", Scene.starts(scene.decide()));
    }

    @Test
    void thatFailsIsToldThoughTheGateIsOpenAndRunsAgainWhenTheSpecChanges() {
      scene.spec.setBackoffLimit(0);
      scene.migrated("shop:1", Scene.T0);
      scene.released("a", web1);
      scene.annotations.put(Vocabulary.RUN_REQUESTED, "1");
      exits(started(), 1);
      applied();
      assertEquals("MigrationsFailed", Scene.reason(scene.decide()));
      assertEquals("Released", verdict());
      assertEquals("", Scene.starts(scene.decide()));
      scene.generation++;
      assertEquals("shop:1", Scene.starts(scene.decide()));
    }

    @Test
    void beforeTheAttemptHasStartedIsAnsweredByIt() {
      scene.waiting("a", web1);
      var job = started();
      scene.annotations.put(Vocabulary.RUN_REQUESTED, "1");
      applied();
      exits(job, 0);
      applied();
      assertEquals("", Scene.starts(scene.decide()));
    }

    @Test
    void whileItRunsIsAnsweredByAnotherRun() {
      scene.waiting("a", web1);
      var job = started();
      scene.add(
          Scene.runPod(job)
              .phase("Running")
              .migration(new ContainerState.Running(scene.now))
              .build(),
          null);
      scene.annotations.put(Vocabulary.RUN_REQUESTED, "1");
      applied();
      scene.pods.removeIf(PodView::isRunPod);
      exits(job, 0);
      applied();
      assertEquals("shop:1", Scene.starts(scene.decide()));
    }

    @Test
    void betweenTwoAttemptsStartsTheNextAtOnce() {
      scene.waiting("a", web1);
      exits(started(), 1);
      applied();
      scene.annotations.put(Vocabulary.RUN_REQUESTED, "1");
      applied();
      assertEquals("shop:1", Scene.starts(scene.decide()));
    }

    @Test
    void whileSuspendedWaits() {
      scene.migrated("shop:1", Scene.T0);
      scene.released("a", web1);
      scene.spec.setSuspend(true);
      scene.annotations.put(Vocabulary.RUN_REQUESTED, "1");
      assertEquals("MigrationsSuspended", Scene.reason(applied()));
      scene.spec.setSuspend(false);
      assertEquals("shop:1", Scene.starts(scene.decide()));
    }
  }

  @Nested
  class HistoryLimits {
    private List<String> deletedOf(List<JobView> jobs) {
      scene.jobs.addAll(jobs);
      scene.status.setAttempts(99L);
      return scene.decide().effects().stream()
          .filter(Effect.Delete.class::isInstance)
          .map(effect -> ((Effect.Delete) effect).job())
          .toList();
    }

    private JobView ended(int serial, boolean complete) {
      return Scene.ended(scene.job(web1, "shop:1", serial), complete, Scene.T0.plusSeconds(serial));
    }

    @Test
    void keepTheLastJobOfEachKind() {
      var jobs = List.of(ended(1, true), ended(2, false), ended(3, true), ended(4, false));
      assertEquals(List.of(jobs.get(0).name(), jobs.get(1).name()), deletedOf(jobs));
    }

    @Test
    void ofZeroKeepNone() {
      scene.spec.successfulJobsHistoryLimit(0).failedJobsHistoryLimit(0);
      assertEquals(2, deletedOf(List.of(ended(1, true), ended(2, false))).size());
    }

    @Test
    void neverTakeAJobWhoseResultIsNotRecordedYet() {
      scene.spec.successfulJobsHistoryLimit(0).failedJobsHistoryLimit(0);
      scene.waiting("a", web1);
      exits(started(), 0);
      var recording = applied();
      assertTrue(recording.effects().stream().noneMatch(Effect.Delete.class::isInstance));
      assertEquals(Optional.of(Duration.ZERO), recording.again());
      assertTrue(scene.decide().effects().stream().anyMatch(Effect.Delete.class::isInstance));
    }

    @Test
    void neverTakeAJobThatAStaleStatusHasNotHeardOf() {
      scene.spec.successfulJobsHistoryLimit(0);
      scene.jobs.add(ended(1, true));
      assertEquals(List.of(), scene.decide().effects());
    }

    @Test
    void neverTakeTheJobOfAnotherOwner() {
      scene.spec.successfulJobsHistoryLimit(0);
      scene.status.setAttempts(99L);
      scene.uid = "migrator-0";
      var other = ended(1, true);
      scene.uid = "migrator-1";
      scene.jobs.add(other);
      assertEquals(List.of(), scene.decide().effects());
    }

    @Test
    void doNotTouchTheTenRunsOfTheStatus() {
      var history = new ArrayList<MigrationRecord>();
      for (var i = 0; i < 10; i++) {
        history.add(new MigrationRecord().image("shop:" + i));
      }
      scene.status.setHistory(history);
      scene.waiting("a", web1);
      exits(started(), 0);
      assertEquals(10, applied().status().getHistory().size());
      assertEquals("shop:1", scene.status.getHistory().getFirst().getImage());
    }
  }

  @Nested
  class Conditions {
    private String of(Decision decision) {
      return Stream.of("Ready", "MigrationsReady", "Reconciling", "Stalled")
          .map(type -> Scene.condition(decision.status(), type).getStatus())
          .collect(Collectors.joining(" "));
    }

    @Test
    void areReadyWhenNothingIsWantedOrRunning() {
      assertEquals("True True False False", of(scene.decide()));
    }

    @Test
    void areReconcilingWhileWantedOrRunning() {
      scene.waiting("a", web1);
      assertEquals("False False True False", of(applied()));
      assertEquals("False False True False", of(scene.decide()));
    }

    @Test
    void areStalledWhenFailedForGood() {
      scene.waiting("a", web1);
      scene.status.setFailures(
          List.of(
              new MigrationFailure()
                  .image("shop:1")
                  .migrationImage("shop:1")
                  .template(web1.id())
                  .observedGeneration(1L)
                  .failedAttempts(4)));
      assertEquals("False False False True", of(scene.decide()));
    }

    @Test
    void bearTheGenerationAndTheTimeOfTheirLastChange() {
      applied();
      scene.now = scene.now.plusSeconds(60);
      scene.generation = 7;
      var same = Scene.condition(applied().status(), "Ready");
      assertEquals(7, same.getObservedGeneration());
      assertEquals(Draft.time(Scene.T0), same.getLastTransitionTime());
      assertEquals(7, scene.status.getObservedGeneration());
      scene.waiting("a", web1);
      assertEquals(
          Draft.time(scene.now),
          Scene.condition(applied().status(), "Ready").getLastTransitionTime());
    }

    @Test
    void countTheWaitingPods() {
      scene.waiting("a", web1);
      scene.waiting("b", web1);
      scene.released("c", web1);
      assertEquals(2, scene.decide().status().getWaitingPods());
    }
  }

  @Nested
  class TheGate {
    @Test
    void tellsAFailureWithTheEndOfTheLogAndWhatToDo() {
      scene.spec.setBackoffLimit(0);
      scene.waiting("a", web1);
      var job = started();
      scene.add(
          Scene.runPod(job)
              .phase("Failed")
              .migration(new ContainerState.Terminated(1, "Error", "no column x", scene.now))
              .build(),
          null);
      applied();
      var told = assertInstanceOf(Verdict.Waiting.class, scene.verdict(scene.pods.getFirst()));
      assertEquals("MigrationsFailed", told.reason());
      assertTrue(told.message().contains("no column x"));
      assertTrue(told.message().contains("run-requested=<new value>"));
      assertEquals(job.name(), told.job());
    }

    @Test
    void namesTheJobAndTheAttemptWhileItRuns() {
      scene.waiting("a", web1);
      var job = started();
      var told = assertInstanceOf(Verdict.Waiting.class, scene.verdict(scene.pods.getFirst()));
      assertEquals(job.name(), told.job());
      assertEquals(1, told.attempt());
      assertFalse(told.stuck());
    }

    @Test
    void tellsAPodThatIsNoLongerSelectedWhatToDo() {
      var pod = scene.waiting("a", web1);
      scene.spec.getSelector().getMatchLabels().put("other", "label");
      var told = assertInstanceOf(Verdict.Waiting.class, scene.verdict(pod));
      assertEquals(Verdict.NOT_SELECTED, told.reason());
    }

    @Test
    void tellsAPodThatAskedToBeLeftAloneTooLateWhatToDo() {
      var pod = scene.add(Scene.pod("a", web1).annotated(Vocabulary.NO_WAIT, "true").build(), web1);
      var told = assertInstanceOf(Verdict.Waiting.class, scene.verdict(pod));
      assertEquals(Verdict.LEFT_ALONE, told.reason());
    }
  }

  @Test
  void aStatusIsNeverChangedInPlace() {
    scene.waiting("a", web1);
    exits(started(), 1);
    var before = scene.status;
    var copy = before.toString();
    scene.decide();
    assertEquals(copy, before.toString());
    assertEquals(new MigratorStatus(), new Scene().status);
  }
}
