package net.coderanger.migrations.controller.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import net.coderanger.migrations.controller.core.PodView.ContainerState;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Rule 7: a run has succeeded when its migration container exited with 0 by itself. */
class AttemptOutcomeTest {
  private static final Instant T0 = Scene.T0;

  private final JobView job = new Scene().job(Scene.replicaSet("web", 1, "shop:1"), "shop:1", 1);

  private Scene.Pods pod() {
    return Scene.runPod(job).started(T0);
  }

  private AttemptOutcome of(Scene.Pods pod) {
    return AttemptOutcome.of(Optional.of(job), List.of(pod.build()), "");
  }

  private <T extends AttemptOutcome> T is(Class<T> kind, Scene.Pods pod) {
    return assertInstanceOf(kind, of(pod));
  }

  private String failure(Scene.Pods pod) {
    return is(AttemptOutcome.Failed.class, pod).message();
  }

  private String problem(Scene.Pods pod) {
    return is(AttemptOutcome.NotStarted.class, pod).problem();
  }

  @Nested
  class Ended {
    @Test
    void withZeroByItselfIsASuccess() {
      assertEquals(
          T0.plusSeconds(9),
          is(AttemptOutcome.Succeeded.class, pod().exited(0, T0.plusSeconds(9))).at());
    }

    @Test
    void withZeroBesideASidecarThatGoesOnIsASuccess() {
      is(AttemptOutcome.Succeeded.class, pod().exited(0, T0).phase("Running"));
    }

    @Test
    void withZeroAfterItsDeletionBeganIsADisruption() {
      is(AttemptOutcome.Disrupted.class, pod().exited(0, T0.plusSeconds(3)).deleted(T0));
    }

    @Test
    void withZeroInTheSecondOfItsDeletionIsADisruptionSinceNobodyKnows() {
      is(AttemptOutcome.Disrupted.class, pod().exited(0, T0).deleted(T0));
    }

    @Test
    void withZeroBeforeItsDeletionBeganIsASuccess() {
      is(AttemptOutcome.Succeeded.class, pod().exited(0, T0).deleted(T0.plusSeconds(1)));
    }

    @Test
    void withZeroAfterItWasChosenForDisruptionIsADisruption() {
      is(AttemptOutcome.Disrupted.class, pod().exited(0, T0.plusSeconds(1)).disrupted(T0));
      is(AttemptOutcome.Succeeded.class, pod().exited(0, T0).disrupted(T0.plusSeconds(1)));
    }

    @Test
    void withZeroAfterTheDeadlineIsAFailureWhateverThePodsReasonYetIs() {
      assertTrue(
          failure(pod().deadline(60).exited(0, T0.plusSeconds(60)))
              .contains("spec.activeDeadlineSeconds (60 s)"));
      is(AttemptOutcome.Succeeded.class, pod().deadline(60).exited(0, T0.plusSeconds(59)));
    }

    @Test
    void withZeroInAPodEvictedForItsOwnUseOfStorageIsAFailure() {
      assertTrue(
          failure(pod().exited(0, T0).reason("Evicted", "ephemeral storage 1Gi exceeded"))
              .contains("ephemeral storage"));
    }

    @Test
    void withAnotherCodeIsAFailureWithTheEndOfTheLogAndWithoutPasswords() {
      var end = new ContainerState.Terminated(2, "Error", "at postgres://u:s3cret@db failed\n", T0);
      assertEquals("exit code 2: at postgres://u:***@db failed", failure(pod().migration(end)));
    }

    @Test
    void forLackOfMemoryIsAFailureThatSaysSo() {
      assertEquals(
          "exit code 137 (OOMKilled)",
          failure(pod().migration(new ContainerState.Terminated(137, "OOMKilled", "", T0))));
    }

    @Test
    void withItsNodeIsAFailure() {
      assertTrue(
          failure(pod().phase("Failed").migration(new ContainerState.Running(T0)))
              .contains("lost with its node"));
    }
  }

  @Nested
  class Running {
    @Test
    void isWhatRuns() {
      is(
          AttemptOutcome.Running.class,
          pod().phase("Running").migration(new ContainerState.Running(T0)));
    }

    @Test
    void isWhatIsBeingStopped() {
      is(
          AttemptOutcome.Running.class,
          pod().phase("Running").deleted(T0).migration(new ContainerState.Running(T0)));
    }

    @Test
    void isAPodWhoseNodeDoesNotAnswer() {
      is(
          AttemptOutcome.Running.class,
          pod().phase("Unknown").migration(new ContainerState.Running(T0)));
      is(AttemptOutcome.Running.class, pod().phase("Unknown"));
    }

    @Test
    void isARunningPodThatTellsNothingOfTheContainer() {
      is(AttemptOutcome.Running.class, pod().phase("Running"));
    }

    @Test
    void isAPodThatIsDeletedBeforeItsStartIsCertainlyPrevented() {
      is(AttemptOutcome.Running.class, pod().deleted(T0));
    }

    @Test
    void beatsWhateverAnotherPodOfTheJobSays() {
      var ended = pod().exited(0, T0).build();
      var running = pod().phase("Running").migration(new ContainerState.Running(T0)).build();
      assertInstanceOf(
          AttemptOutcome.Running.class,
          AttemptOutcome.of(Optional.of(job), List.of(ended, running), ""));
    }
  }

  @Nested
  class NotStarted {
    @Test
    void isAJobWithoutPodAndTheEventsSayWhy() {
      assertEquals(
          new AttemptOutcome.NotStarted("serviceaccount \"x\" not found"),
          AttemptOutcome.of(Optional.of(job), List.of(), "serviceaccount \"x\" not found"));
    }

    @Test
    void isAPodThatIsBeingMade() {
      assertEquals("", problem(pod()));
      assertEquals("", problem(pod().migration(new ContainerState.Waiting("PodInitializing", ""))));
      assertEquals(
          "", problem(pod().migration(new ContainerState.Waiting("ContainerCreating", ""))));
    }

    @Test
    void tellsOfAnImageThatCannotBePulled() {
      assertTrue(
          problem(pod().migration(new ContainerState.Waiting("ErrImagePull", "no such tag")))
              .endsWith("ErrImagePull: no such tag"));
    }

    @Test
    void tellsOfAPodThatFitsNowhere() {
      assertTrue(
          problem(pod().unschedulable("0/3 nodes are available"))
              .endsWith("cannot be scheduled: 0/3 nodes are available"));
    }

    @Test
    void tellsOfAnInitContainerThatCannotStart() {
      assertTrue(
          problem(
                  pod()
                      .initContainers("proxy")
                      .with("proxy", new ContainerState.Waiting("CrashLoopBackOff", "back-off")))
              .contains("init container proxy: CrashLoopBackOff"));
    }

    @Test
    void tellsOfAVolumeThatOnlyEventsKnow() {
      var seen =
          AttemptOutcome.of(Optional.of(job), List.of(pod().build()), "secret \"certs\" not found");
      assertTrue(
          assertInstanceOf(AttemptOutcome.NotStarted.class, seen)
              .problem()
              .endsWith("secret \"certs\" not found"));
    }
  }

  @Nested
  class EndedBeforeItStarted {
    @Test
    void byAnInitContainerIsAFailureWithItsLog() {
      assertEquals(
          "init container wait-db: exit code 1: no route",
          failure(
              pod()
                  .phase("Failed")
                  .initContainers("wait-db")
                  .with("wait-db", new ContainerState.Terminated(1, "Error", "no route", T0))));
    }

    @Test
    void byEvictionOrPreemptionIsADisruption() {
      is(AttemptOutcome.Disrupted.class, pod().phase("Failed").reason("Evicted", ""));
      is(AttemptOutcome.Disrupted.class, pod().phase("Failed").disrupted(T0));
    }

    @Test
    void byTheDeadlineIsAFailure() {
      assertTrue(
          failure(pod().phase("Failed").deadline(5).reason("DeadlineExceeded", ""))
              .contains("5 s"));
    }
  }

  @Nested
  class NobodyKnows {
    @Test
    void whenTheJobIsGone() {
      assertInstanceOf(
          AttemptOutcome.Disrupted.class, AttemptOutcome.of(Optional.empty(), List.of(), ""));
      assertInstanceOf(
          AttemptOutcome.Disrupted.class,
          AttemptOutcome.of(Optional.of(Scene.deleting(job)), List.of(), ""));
    }

    @Test
    void whenThePodOfAnEndedJobIsGoneEvenOfACompleteOne() {
      assertInstanceOf(
          AttemptOutcome.Disrupted.class,
          AttemptOutcome.of(Optional.of(Scene.ended(job, true, T0)), List.of(), ""));
    }

    @Test
    void whenASucceededPodDoesNotTellOfTheContainer() {
      is(AttemptOutcome.Disrupted.class, pod().phase("Succeeded"));
    }
  }
}
