package net.coderanger.migrations.controller.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.MigratedImage;
import net.coderanger.migrations.api.v1beta1.MigrationFailure;
import net.coderanger.migrations.api.v1beta1.MigrationRecord;
import net.coderanger.migrations.controller.core.PodView.ContainerState;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The rules of docs' "What gets run, and when", one by one. */
class RulesTest {
  private final Scene scene = new Scene();

  private final Template web1 = Scene.replicaSet("web", 1, "shop:1");
  private final Template web2 = Scene.replicaSet("web", 2, "shop:2");
  private final Template web3 = Scene.replicaSet("web", 3, "shop:3");

  private Verdict.Waiting waits(PodView pod) {
    return assertInstanceOf(Verdict.Waiting.class, scene.verdict(pod));
  }

  private void isReleased(PodView pod) {
    assertInstanceOf(Verdict.Released.class, scene.verdict(pod));
  }

  /** Starts what the scene wants, so that its run is current and its Job exists, unsuspended. */
  private JobView started() {
    var decision = scene.decide();
    var start = decision.start().orElseThrow();
    scene.status = decision.status();
    scene.guarded = true;
    var job = Scene.view(start.job(), scene.uid);
    scene.jobs.add(job);
    return job;
  }

  private PodView runs(JobView job) {
    return scene.add(
        Scene.runPod(job)
            .phase("Running")
            .started(scene.now)
            .migration(new ContainerState.Running(scene.now))
            .build(),
        null);
  }

  private void exits(JobView job, int code) {
    scene.pods.removeIf(pod -> pod.jobName().equals(job.name()));
    scene.add(Scene.runPod(job).started(scene.now).exited(code, scene.now).build(), null);
  }

  private Decision applied() {
    var decision = scene.decide();
    scene.status = decision.status();
    return decision;
  }

  private void replace(JobView job) {
    scene.jobs.removeIf(other -> other.name().equals(job.name()));
    scene.jobs.add(job);
  }

  private static boolean deletes(Decision decision, JobView job) {
    return decision.effects().contains(new Effect.Delete(job.name(), job.uid()));
  }

  @Nested
  class Targets {
    @Test
    void aPodThatTheSelectorDoesNotMatchIsNone() {
      scene.add(Scene.pod("other", web1).labels(Map.of("app", "else")).build(), web1);
      assertEquals("NoPods", Scene.reason(scene.decide()));
    }

    @Test
    void aPodThatIsBeingDeletedOrHasEndedIsNone() {
      scene.add(Scene.pod("a", web1).deleted(Scene.T0).build(), web1);
      scene.add(Scene.pod("b", web1).phase("Succeeded").build(), web1);
      scene.add(Scene.pod("c", web1).phase("Failed").build(), web1);
      assertEquals("NoPods", Scene.reason(scene.decide()));
    }

    @Test
    void aPodThatAskedToBeLeftAloneIsNone() {
      scene.add(Scene.pod("a", web1).annotated(Vocabulary.NO_WAIT, "true").build(), web1);
      assertEquals("NoPods", Scene.reason(scene.decide()));
    }

    @Test
    void thePodOfAMigrationIsNone() {
      scene.status.setAttempts(1L);
      var job = Scene.ended(scene.job(web1, "shop:1", 1), true, Scene.T0);
      scene.jobs.add(job);
      scene.add(Scene.runPod(job).phase("Running").build(), web1);
      assertEquals("NoPods", Scene.reason(scene.decide()));
    }

    @Test
    void withoutASelectorNothingIsSelectedAndTheConditionSaysSo() {
      scene.spec.setSelector(null);
      scene.waiting("a", web1);
      assertEquals("spec.selector is absent and so selects no pod", Scene.message(scene.decide()));
    }
  }

  @Nested
  class Rule1_TheTemplateIsThatOfTheImmediateController {
    @Test
    void aDeploymentLendsBeforeStatefulSetDaemonSetJobAndBarePod() {
      for (var kind : List.of("Pod", "Job", "DaemonSet", "StatefulSet", "ReplicaSet")) {
        var template =
            Scene.template(kind, "x-" + kind, "x-" + kind, 1, Scene.podTemplate("app", "shop:1"));
        scene.waiting("pod-" + kind, template);
        var start = scene.decide().start().orElseThrow();
        assertEquals(
            kind + "/x-" + kind, Scene.view(start.job(), "").annotations().get(JobView.TEMPLATE));
      }
    }

    @Test
    void ofSeveralDeploymentsTheOldestLendsAndTheStatusNamesIt() {
      scene.waiting("b", Scene.replicaSet("younger", 9, "shop:1"));
      var older = Scene.replicaSet("older", 1, "shop:1");
      scene.waiting("a", older);
      assertEquals(older.id(), scene.decide().status().getCurrent().getTemplate());
    }

    @Test
    void whileATemplateCannotBeReadNothingIsDecidedAboutItsPod() {
      scene.migrated("shop:1", Scene.T0);
      var pod = scene.add(Scene.pod("a", web2).build(), null);
      var decision = scene.decide();
      assertEquals("MigrationsQueued", Scene.reason(decision));
      assertTrue(decision.again().isPresent());
      assertFalse(waits(pod).stuck());
    }

    @Test
    void aPodOfAnotherWorkloadIsNotReleasedAsForeignWhileItsTemplateCannotBeRead() {
      scene.migrated("shop:1", Scene.T0);
      scene.released("a", web1);
      waits(scene.add(Scene.pod("b", Scene.replicaSet("worker", 1, "worker:1")).build(), null));
    }
  }

  @Nested
  class Rule2_TheContainerIsLookedUpByItsName {
    @Test
    void aProxyThatAMeshPutFirstDoesNotCount() {
      var mesh = new LinkedHashMap<String, String>();
      mesh.put("proxy", "mesh:9");
      mesh.put("app", "shop:1");
      scene.add(new Scene.Pods("a").images(mesh).build(), web1);
      assertEquals("shop:1", Scene.starts(scene.decide()));
    }

    @Test
    void theImageCountsAsTheTemplateWritesItThoughAMirrorRewroteThePods() {
      var pod =
          scene.add(
              new Scene.Pods("a").images(Map.of("app", "mirror.local/x/shop:1")).build(), web1);
      assertEquals("shop:1", Scene.starts(scene.decide()));
      scene.migrated("shop:1", Scene.T0);
      isReleased(pod);
    }

    @Test
    void anEditedImageOfAWaitingPodCountsAndNotTheTemplates() {
      scene.migrated("shop:1", Scene.T0);
      scene.waiting("a", web1);
      var edited = new Scene.Pods("a").images(Map.of("app", "shop:9")).build();
      assertEquals("MigrationsQueued", waits(edited).reason(), "the cache still shows shop:1");
      scene.pods.clear();
      scene.add(edited, web1);
      assertEquals("shop:9", Scene.starts(scene.decide()));
    }

    @Test
    void anotherContainerOfTheSpecCounts() {
      scene.spec.setContainer("worker");
      var template =
          Scene.template(
              "ReplicaSet",
              "r",
              "d",
              1,
              Scene.json(
                  "{spec: {containers: [{name: app, image: 'a:1'}, {name: worker, image:"
                      + " 'w:1'}]}}"));
      scene.waiting("a", template);
      assertEquals("w:1", Scene.starts(scene.decide()));
    }

    @Test
    void aTemplateWithoutTheContainerIsToldInConditionAndGate() {
      scene.spec.setContainer("nope");
      var pod = scene.waiting("a", web1);
      var decision = scene.decide();
      assertEquals("NoTemplateContainer", Scene.reason(decision));
      assertTrue(Scene.message(decision).startsWith("no template container found: "));
      assertEquals("NoTemplateContainer", waits(pod).reason());
    }
  }

  @Nested
  class Rule3_WhatIsWanted {
    @Test
    void beforeTheFirstSuccessEveryImageOfANewestRevisionIsEvenWithoutAWaitingPod() {
      scene.ungated("a", web1);
      assertEquals("shop:1", Scene.starts(scene.decide()));
    }

    @Test
    void afterItAnOlderPodWithoutWaiterIsNot() {
      scene.migrated("shop:1", Scene.T0.plusSeconds(60));
      scene.ungated("a", web2);
      assertEquals("MigrationsUpToDate", Scene.reason(scene.decide()));
    }

    @Test
    void afterItAPodThatSlippedPastTheInjectorIs() {
      scene.migrated("shop:1", Scene.T0.minusSeconds(60));
      scene.ungated("a", web2);
      assertEquals("shop:2", Scene.starts(scene.decide()));
    }

    @Test
    void aPodThatSlippedPastTheInjectorIsToldOfUntilItsImageIsMigrated() {
      scene.ungated("a", web2);
      var strays = scene.decide().strays();
      assertEquals(1, strays.size());
      assertTrue(strays.getFirst().message().contains("image shop:2 was not migrated"));
      assertTrue(strays.getFirst().message().contains("required: \"true\""));
      scene.migrated("shop:2", Scene.T0);
      assertEquals(List.of(), scene.decide().strays());
    }

    @Test
    void aPodThatWasThereLongBeforeTheMigratorDidNotSlipPast() {
      scene.ungated("a", web2);
      scene.created = Scene.T0.plusSeconds(61);
      assertEquals(List.of(), scene.decide().strays());
    }

    @Test
    void afterItAnImageWithAWaitingPodIs() {
      scene.migrated("shop:1", Scene.T0.plusSeconds(60));
      scene.waiting("a", web2);
      assertEquals("shop:2", Scene.starts(scene.decide()));
    }

    @Test
    void anOvertakenRevisionIsNot() {
      scene.waiting("a", web1);
      scene.waiting("b", web2);
      assertEquals("shop:2", Scene.starts(scene.decide()));
    }

    @Test
    void theImageWhoseOldestPodWaitsLongestGoesFirst() {
      var worker = Scene.replicaSet("worker", 1, "shop:7");
      scene.waiting("a", web2);
      scene.add(
          Scene.pod("b", worker)
              .created(Scene.T0.minusSeconds(9))
              .with(Scene.WAITER, new ContainerState.Running(Scene.T0))
              .build(),
          worker);
      assertEquals("shop:7", Scene.starts(scene.decide()));
    }

    @Test
    void aWaitingPodGoesBeforeAnOlderOneThatDoesNotWait() {
      scene.ungated("a", Scene.replicaSet("worker", 1, "shop:7"));
      scene.add(
          Scene.pod("b", web2)
              .created(Scene.T0.plusSeconds(9))
              .with(Scene.WAITER, new ContainerState.Running(Scene.T0))
              .build(),
          web2);
      assertEquals("shop:2", Scene.starts(scene.decide()));
    }

    @Test
    void withAnotherMigrationImageNoImageCountsAsMigrated() {
      scene.migrated("shop:1", Scene.T0);
      var pod = scene.released("a", web1);
      isReleased(pod);
      scene.spec.setImage("migrator:1");
      var start = scene.decide().start().orElseThrow();
      assertEquals(
          "migrator:1", Scene.view(start.job(), "").annotations().get(JobView.MIGRATION_IMAGE));
      waits(scene.waiting("b", web1));
    }
  }

  @Nested
  class Rule4_AnOvertakenRevisionWaitsAndSaysSo {
    @Test
    void itsPodIsToldByWhomAndWhatToDo() {
      var old = scene.waiting("old", web1);
      scene.waiting("new", web2);
      var told = waits(old);
      assertEquals(Verdict.SUPERSEDED, told.reason());
      assertTrue(told.stuck());
      assertTrue(told.message().contains("superseded by " + web2.id()));
      assertTrue(told.message().contains("kubectl delete pod old"));
    }

    @Test
    void unlessAnotherWorkloadHasTheImageMigrated() {
      var old = scene.waiting("old", web1);
      scene.waiting("new", web2);
      scene.waiting("worker", Scene.replicaSet("worker", 1, "shop:1"));
      assertEquals("MigrationsQueued", waits(old).reason());
    }

    @Test
    void aRollBackMakesTheOldReplicaSetTheNewest() {
      scene.waiting("a", Scene.replicaSet("web", 3, "shop:1"));
      scene.waiting("b", web2);
      assertEquals("shop:1", Scene.starts(scene.decide()));
    }
  }

  @Nested
  class Rule5_TargetsOutsideTemplateSelector {
    private final Template redis = Scene.replicaSet("redis", 1, "redis:7");

    private PodView follower(String name, Template template) {
      return scene.add(Scene.pod(name, template).labels(Scene.APP).build(), template);
    }

    private void onlyWebLends() {
      scene.spec.setTemplateSelector(
          new io.kubernetes.client.openapi.models.V1LabelSelector().matchLabels(Scene.LENDER));
    }

    @Test
    void oneOfAMigratedImageIsReleased() {
      onlyWebLends();
      scene.migrated("shop:1", Scene.T0);
      isReleased(follower("f", web1));
    }

    @Test
    void oneOfAnotherRepositoryIsReleasedWhenNothingIsWantedOrRunning() {
      onlyWebLends();
      scene.migrated("shop:1", Scene.T0);
      scene.released("a", web1);
      isReleased(follower("f", redis));
      scene.waiting("b", web2);
      assertTrue(waits(follower("g", redis)).message().contains("until image shop:2"));
    }

    @Test
    void oneOfTheSameRepositoryWithAnotherTagWaitsAndSaysWhy() {
      onlyWebLends();
      scene.migrated("shop:1", Scene.T0);
      scene.released("a", web1);
      var told = waits(follower("f", Scene.replicaSet("f", 1, "shop:9")));
      assertTrue(told.stuck());
      assertTrue(told.message().contains("no pod that spec.templateSelector"), told.message());
    }

    @Test
    void aMirrorsSpellingOfOurRepositoryIsNoOtherRepository() {
      onlyWebLends();
      scene.migrated("shop:1", Scene.T0);
      scene.released("a", web1);
      var rewritten =
          new Scene.Pods("f")
              .labels(Scene.APP)
              .images(Map.of("app", "mirror.local/shop:9"))
              .build();
      waits(scene.add(rewritten, null));
      waits(scene.add(rewritten, Scene.replicaSet("f", 1, "shop:9")));
    }

    @Test
    void behindAMigrationThatFailedForGoodItIsToldSo() {
      onlyWebLends();
      scene.waiting("a", web2);
      scene.status.setFailures(List.of(new MigrationFailure().image("shop:2").job("j")));
      var told = waits(follower("f", redis));
      assertEquals("MigrationsFailed", told.reason());
      assertTrue(told.stuck());
    }

    @Test
    void withoutAnyCandidateItWaitsForOne() {
      onlyWebLends();
      var pod = follower("f", redis);
      assertEquals("NoTemplatePods", waits(pod).reason());
      var decision = scene.decide();
      assertEquals("NoTemplatePods", Scene.reason(decision));
      assertTrue(Scene.message(decision).startsWith("no template pods found"));
    }
  }

  @Nested
  class Rule6_SuccessIsADurableFact {
    @Test
    void aMigratedImageIsReleasedThoughNoJobIsLeft() {
      scene.migrated("shop:1", Scene.T0.minusSeconds(99999)).migrated("shop:2", Scene.T0);
      isReleased(scene.waiting("rolled-back", web1));
      assertEquals("MigrationsUpToDate", Scene.reason(scene.decide()));
    }

    @Test
    void theLastHundredImagesAreRememberedAndEveryOneThatALivePodUses() {
      for (var i = 0; i < 130; i++) {
        scene.migrated("shop:" + i, Scene.T0.plusSeconds(i));
      }
      scene.released("a", Scene.replicaSet("web", 1, "shop:5"));
      scene.add(
          new Scene.Pods("f").labels(Scene.APP).images(Map.of("app", "shop:7")).build(), null);
      var images =
          scene.decide().status().getMigratedImages().stream()
              .map(MigratedImage::getImage)
              .toList();
      assertEquals(102, images.size());
      assertTrue(images.containsAll(List.of("shop:129", "shop:30", "shop:5", "shop:7")));
    }

    @Test
    void theStatusOfTheOriginalCountsAsOneSuccess() {
      scene.status.setLastSuccessfulMigration("shop:1");
      isReleasedAfterADecision(scene.waiting("a", web1));
      assertEquals("MigrationsUpToDate", Scene.reason(scene.decide()));
    }

    @Test
    void afterTheOriginalAPodWithoutWaiterDoesNotStartARun() {
      scene.status.setLastSuccessfulMigration("shop:1");
      scene.ungated("a", web2);
      assertEquals("", Scene.starts(scene.decide()));
    }

    @Test
    void theOriginalsSuccessOfAMigrationImageStandsForThePodsPastItsWaiter() {
      scene.spec.setImage("migrator:1");
      scene.status.setLastSuccessfulMigration("migrator:1");
      scene.released("old", web1);
      scene.waiting("new", web2);
      assertEquals("shop:2", Scene.starts(scene.decide()));
      assertEquals("shop:1", applied().status().getMigratedImages().getFirst().getImage());
    }

    private void isReleasedAfterADecision(PodView pod) {
      applied();
      isReleased(pod);
    }
  }

  @Nested
  class Rule7_WhatSucceeded {
    @Test
    void anExitWithZeroIsRecordedBeforeTheJobIsComplete() {
      scene.waiting("a", web1);
      exits(started(), 0);
      var status = applied().status();
      assertEquals("shop:1", status.getLastSuccessfulMigration());
      assertNull(status.getCurrent());
      assertEquals(
          MigrationRecord.ResultEnum.SUCCEEDED, status.getHistory().getFirst().getResult());
      isReleased(scene.pods.getFirst());
    }

    @Test
    void aSuccessWhoseSpecChangedMeanwhileRunsAgain() {
      scene.waiting("a", web1);
      var job = started();
      exits(job, 0);
      scene.spec.setCommand(List.of("other"));
      scene.generation++;
      var status = applied().status();
      assertNull(status.getMigratedImages());
      replace(Scene.ended(job, true, scene.now));
      assertEquals("shop:1", Scene.starts(scene.decide()));
    }

    @Test
    void aChangeThatOnlyBoundsTheRunDoesNotMatter() {
      scene.waiting("a", web1);
      exits(started(), 0);
      scene.spec.backoffLimit(9).activeDeadlineSeconds(99L).suspend(true);
      scene.generation++;
      assertEquals("shop:1", applied().status().getLastSuccessfulMigration());
    }
  }

  @Nested
  class Rule8_AStartedRunIsNeverKilledForANewerImage {
    @Test
    void aNewerImageQueues() {
      var old = scene.waiting("a", web1);
      var job = started();
      runs(job);
      scene.pods.remove(old);
      var queued = scene.waiting("b", web2);
      var decision = applied();
      assertEquals(List.of(), decision.effects());
      assertEquals("shop:1", decision.status().getCurrent().getImage());
      assertEquals("MigrationsQueued", waits(queued).reason());
    }

    @Test
    void beforeTheStartANewerRevisionReplacesIt() {
      scene.waiting("a", web1);
      var job = started();
      scene.waiting("b", web2);
      var decision = applied();
      assertTrue(deletes(decision, job));
      assertTrue(decision.confirm());
      assertEquals(
          MigrationRecord.ResultEnum.SUPERSEDED,
          decision.status().getHistory().getFirst().getResult());
      replace(Scene.deleting(job));
      assertEquals("", Scene.starts(scene.decide()), "until the Job is gone it may start yet");
      scene.jobs.clear();
      assertEquals("shop:2", Scene.starts(scene.decide()));
    }

    @Test
    void beforeTheStartEveryChangeOfWhatWouldRunReplacesIt() {
      List<Runnable> changes =
          List.of(
              () -> scene.spec.setCommand(List.of("x")),
              () -> scene.spec.setServiceAccountName("migrator"),
              () -> scene.spec.setLabels(Map.of("a", "b")),
              () ->
                  scene.spec.setResources(
                      new io.kubernetes.client.openapi.models.V1ResourceRequirements()
                          .putRequestsItem(
                              "cpu", new io.kubernetes.client.custom.Quantity("100m"))));
      for (var change : changes) {
        scene.jobs.clear();
        scene.pods.clear();
        scene.status.setCurrent(null);
        scene.waiting("a", web1);
        var job = started();
        change.run();
        scene.generation++;
        assertTrue(deletes(scene.decide(), job));
      }
    }

    @Test
    void aChangeOfWhatOnlyBoundsRunsDoesNotReplaceIt() {
      scene.waiting("a", web1);
      started();
      scene.spec.backoffLimit(7).suspend(true);
      scene.generation++;
      assertEquals(List.of(), scene.decide().effects());
    }

    @Test
    void anImageOfAnotherDeploymentReplacesItOnlyWhenItIsNewerAndThisOneCannotStart() {
      scene.waiting("a", web1);
      var job = started();
      var worker = Scene.replicaSet("worker", 1, "shop:2");
      scene.add(
          Scene.pod("b", worker)
              .created(Scene.T0.plusSeconds(5))
              .with(Scene.WAITER, new ContainerState.Running(Scene.T0))
              .build(),
          worker);
      assertEquals(List.of(), scene.decide().effects());
      scene.add(
          Scene.runPod(job)
              .migration(new ContainerState.Waiting("ImagePullBackOff", "no such image"))
              .build(),
          null);
      assertTrue(deletes(applied(), job));
      scene.jobs.clear();
      scene.pods.removeIf(PodView::isRunPod);
      assertEquals("shop:2", Scene.starts(scene.decide()), "what made way does not come first");
    }

    @Test
    void whatKeepsItFromStartingIsToldAndAfterAWhileOnceByEventToo() {
      scene.waiting("a", web1);
      var job = started();
      scene.add(
          Scene.runPod(job)
              .migration(
                  new ContainerState.Waiting(
                      "CreateContainerConfigError", "secret \"db\" not found"))
              .build(),
          null);
      var early = applied();
      assertTrue(Scene.message(early).contains("secret \"db\" not found"), Scene.message(early));
      assertEquals(List.of(), early.effects());
      scene.now = scene.now.plus(early.again().orElseThrow());
      var late = applied();
      assertTrue(Scene.message(late).contains("this has lasted since"));
      assertInstanceOf(Effect.Tell.class, late.effects().getFirst());
      assertEquals(List.of(), scene.decide().effects());
    }

    @Test
    void aRefusalToMakeThePodIsTold() {
      scene.waiting("a", web1);
      var job = started();
      scene.refusals.put(job.name(), "exceeded quota: small");
      var decision = scene.decide();
      assertTrue(Scene.message(decision).contains("exceeded quota: small"));
      assertEquals(Optional.of(Duration.ofSeconds(2)), decision.again());
    }
  }

  @Nested
  class Rule9_RetriesAreTheOperators {
    @Test
    void theDelayGrowsFromTenSecondsToSixMinutes() {
      scene.spec.setBackoffLimit(8);
      scene.waiting("a", web1);
      var delays = new ArrayList<Long>();
      for (var i = 0; i < 8; i++) {
        var job = started();
        exits(job, 1);
        delays.add(applied().again().orElseThrow().toSeconds());
        replace(Scene.ended(job, false, scene.now));
        scene.now = scene.status.getCurrent().getNextRetryTime().toInstant();
      }
      assertEquals(List.of(10L, 20L, 40L, 80L, 160L, 320L, 360L, 360L), delays);
    }

    @Test
    void untilTheDelayIsOverNothingStarts() {
      scene.waiting("a", web1);
      exits(started(), 1);
      applied();
      assertEquals("", Scene.starts(scene.decide()));
      assertEquals("MigrationsRetrying", Scene.reason(scene.decide()));
      scene.now = scene.now.plusSeconds(10);
      assertEquals("shop:1", Scene.starts(scene.decide()));
      assertEquals(2, scene.decide().status().getCurrent().getAttempt());
    }

    /** A leader whose clock was an hour fast must not make pods wait for an hour. */
    @Test
    void aTimeThatIsFurtherThanTheLongestDelayIsOfAnotherClockAndIsDueNow() {
      scene.waiting("a", web1);
      exits(started(), 1);
      applied();
      scene.now = scene.now.minus(Duration.ofHours(1));
      assertEquals("shop:1", Scene.starts(scene.decide()));
    }

    @Test
    void beyondTheBackoffLimitItHasFailedForGoodAndTheWorkloadIsTold() {
      scene.spec.setBackoffLimit(0);
      scene.waiting("a", web1);
      exits(started(), 3);
      var decision = applied();
      assertEquals("MigrationsFailed", Scene.reason(decision));
      assertTrue(Scene.message(decision).contains("exit code 3"));
      assertTrue(
          decision.effects().stream()
              .anyMatch(
                  effect ->
                      effect instanceof Effect.Tell tell
                          && tell.regarding().equals(Optional.of(web1.workload()))));
      assertEquals("MigrationsFailed", Scene.reason(scene.decide()));
      assertEquals(Scene.message(decision), Scene.message(scene.decide()));
    }

    @Test
    void eachWorkloadThatWaitsIsToldOnceHoweverManyPodsItHas() {
      scene.spec.setBackoffLimit(0);
      var jobs =
          Scene.template("StatefulSet", "jobs", "jobs", 1, Scene.podTemplate("app", "shop:1"));
      scene.waiting("a", web1);
      scene.waiting("b", web1);
      scene.waiting("c", jobs);
      exits(started(), 3);
      assertEquals(
          List.of(Optional.empty(), Optional.of(web1.workload()), Optional.of(jobs.workload())),
          applied().effects().stream()
              .filter(Effect.Tell.class::isInstance)
              .map(tell -> ((Effect.Tell) tell).regarding())
              .toList());
    }

    @Test
    void aDisruptionDoesNotCount() {
      scene.spec.setBackoffLimit(0);
      scene.waiting("a", web1);
      var job = started();
      scene.add(Scene.runPod(job).deleted(scene.now).exited(0, scene.now).build(), null);
      assertEquals("MigrationsRetrying", Scene.reason(applied()));
      assertEquals(0, scene.status.getCurrent().getFailedAttempts());
    }

    @Test
    void aJobThatACacheDoesNotShowIsLookedForLiveBeforeItCountsAsDeleted() {
      scene.waiting("a", web1);
      started();
      scene.jobs.clear();
      var decision = scene.decide();
      assertTrue(decision.confirm());
      assertEquals("MigrationsRetrying", Scene.reason(decision));
    }
  }

  @Nested
  class Rule10_WhatStartsAFailedRunAgain {
    private void failed() {
      scene.spec.setBackoffLimit(0);
      scene.waiting("a", web1);
      var job = started();
      exits(job, 1);
      applied();
      replace(Scene.ended(job, false, scene.now));
      applied();
      assertEquals("", Scene.starts(scene.decide()));
    }

    @Test
    void aChangedSpec() {
      failed();
      scene.generation++;
      assertEquals("shop:1", Scene.starts(scene.decide()));
    }

    @Test
    void aNewImage() {
      failed();
      scene.waiting("b", web2);
      assertEquals("shop:2", Scene.starts(scene.decide()));
    }

    @Test
    void aRequest() {
      failed();
      scene.annotations.put(Vocabulary.RUN_REQUESTED, "1");
      assertEquals("shop:1", Scene.starts(scene.decide()));
      assertEquals("1", scene.decide().status().getRunRequestHandled());
    }

    @Test
    void aNewRevisionOfAStatefulSetOfTheSameImage() {
      scene.spec.setBackoffLimit(0);
      scene.waiting("db-0", statefulSet(1));
      var job = started();
      exits(job, 1);
      applied();
      replace(Scene.ended(job, false, scene.now));
      applied();
      assertEquals("", Scene.starts(scene.decide()));
      scene.waiting("db-1", statefulSet(2));
      assertEquals("shop:8", Scene.starts(scene.decide()));
      assertEquals(2, scene.decide().status().getCurrent().getTemplateRevision());
    }

    private static Template statefulSet(long revision) {
      return Scene.template(
          "StatefulSet", "db", "db", revision, Scene.podTemplate("app", "shop:8"));
    }

    @Test
    void butNotAnotherPodOrJobOfTheSameImage() {
      scene.spec.setBackoffLimit(0);
      for (var kind : List.of("Pod", "Job")) {
        var first = Scene.template(kind, "x1", "x1", 0, Scene.podTemplate("app", "shop:8"));
        scene.status = new net.coderanger.migrations.api.v1beta1.MigratorStatus();
        scene.jobs.clear();
        scene.pods.clear();
        scene.waiting("x1", first);
        var job = started();
        exits(job, 1);
        applied();
        replace(Scene.ended(job, false, scene.now));
        scene.pods.removeIf(pod -> pod.name().equals("x1"));
        scene.waiting(
            "x2", Scene.template(kind, "x2", "x2", 0, Scene.podTemplate("app", "shop:8")));
        assertEquals("", Scene.starts(scene.decide()));
      }
    }

    @Test
    void aSpecChangedBetweenTwoAttemptsStartsTheNextAtOnceWithAllRetriesBeforeIt() {
      scene.waiting("a", web1);
      var job = started();
      exits(job, 1);
      applied();
      replace(Scene.ended(job, false, scene.now));
      scene.generation++;
      assertEquals(Optional.of(Duration.ZERO), applied().again());
      assertEquals(0, scene.status.getCurrent().getFailedAttempts());
      assertEquals("shop:1", Scene.starts(scene.decide()));
    }

    @Test
    void aStartedRunGoesOnThoughNoTargetIsLeft() {
      scene.waiting("a", web1);
      var job = started();
      scene.pods.clear();
      runs(job);
      assertEquals("MigrationsRunning", Scene.reason(scene.decide()));
      exits(job, 0);
      assertEquals("shop:1", applied().status().getLastSuccessfulMigration());
      assertEquals("NoPods", Scene.reason(scene.decide()));
    }
  }

  @Nested
  class Rule11_ADeletedMigrator {
    @Test
    void isGuardedBeforeAndWhileARunIsActive() {
      scene.waiting("a", web1);
      assertEquals(new Effect.Guard(), scene.decide().effects().getFirst());
      var job = started();
      runs(job);
      scene.guarded = false;
      assertEquals(List.of(new Effect.Guard()), scene.decide().effects());
    }

    @Test
    void losesTheGuardOnceNothingWorksAnyMore() {
      scene.waiting("a", web1);
      exits(started(), 0);
      applied();
      assertTrue(scene.decide().effects().contains(new Effect.Unguard()));
      assertTrue(scene.decide().confirm());
    }

    @Test
    void doesNotReleaseItsWaiters() {
      scene.migrated("shop:1", Scene.T0);
      var pod = scene.waiting("a", web1);
      scene.deleting = true;
      assertEquals(Verdict.DELETED, waits(pod).reason());
      var gone = assertInstanceOf(Verdict.Waiting.class, Verdict.withoutMigrator("shop"));
      assertTrue(gone.message().contains("delete this pod"));
    }

    @Test
    void isKeptWhileItsMigrationWorks() {
      scene.waiting("a", web1);
      runs(started());
      scene.deleting = true;
      assertEquals(List.of(), scene.decide().effects());
      assertEquals("MigrationsRunning", Scene.reason(scene.decide()));
    }

    @Test
    void givesUpWhatHasNotStarted() {
      scene.waiting("a", web1);
      var job = started();
      scene.deleting = true;
      assertTrue(deletes(applied(), job));
      replace(Scene.deleting(job));
      assertEquals(
          List.of(), scene.decide().effects(), "kept until the Job is gone: it may start yet");
      scene.jobs.clear();
      assertTrue(scene.decide().effects().contains(new Effect.Unguard()));
    }

    @Test
    void startsNothing() {
      scene.waiting("a", web1);
      scene.deleting = true;
      assertEquals("", Scene.starts(scene.decide()));
    }
  }

  @Nested
  class StartingARun {
    @Test
    void thatTheApiServerRefusesIsToldInConditionEventAndGateAndDecidedAgain() {
      var pod = scene.waiting("a", web1);
      var start = scene.decide().start().orElseThrow();
      var refused = Decider.refused(scene.seen(), start, "exceeded quota: no-jobs");
      assertEquals("MigrationsQueued", Scene.reason(refused));
      assertEquals(1, refused.effects().size(), refused::toString);
      scene.status = refused.status();
      assertTrue(
          Verdict.of(scene.seen(), pod) instanceof Verdict.Waiting waits
              && waits.message().contains("exceeded quota: no-jobs"));
      assertEquals(
          List.of(),
          Decider.refused(scene.seen(), start, "exceeded quota: no-jobs").effects(),
          "one event is enough");
      assertEquals("shop:1", Scene.starts(scene.decide()));
    }

    @Test
    void isToBeConfirmedLive() {
      scene.waiting("a", web1);
      assertTrue(scene.decide().confirm());
    }

    @Test
    void waitsForTheJobOfADeletedMigratorOfTheSameName() {
      scene.waiting("a", web1);
      scene.uid = "migrator-0";
      var old = scene.job(web1, "shop:1", 4);
      scene.uid = "migrator-1";
      scene.jobs.add(old);
      var decision = scene.decide();
      assertEquals("", Scene.starts(decision));
      assertFalse(deletes(decision, old));
      assertTrue(Scene.message(decision).contains(old.name()));
      replace(Scene.ended(old, true, scene.now));
      assertEquals("shop:1", Scene.starts(scene.decide()));
      assertEquals(5, scene.decide().status().getAttempts(), "names do not meet");
    }

    @Test
    void waitsForAPodWhoseJobIsGone() {
      scene.waiting("a", web1);
      var job = scene.job(web1, "shop:1", 1);
      scene.add(
          Scene.runPod(job)
              .deleted(scene.now)
              .phase("Running")
              .migration(new ContainerState.Running(scene.now))
              .build(),
          null);
      assertEquals("MigrationsQueued", Scene.reason(scene.decide()));
      assertTrue(Scene.message(scene.decide()).contains("--force"));
    }

    @Test
    void doesNotWaitForNativeSidecarsOfAnEndedMigration() {
      scene.status.setAttempts(1L);
      scene.waiting("a", web2);
      var job = scene.job(web1, "shop:1", 1);
      scene.jobs.add(job);
      scene.add(Scene.runPod(job).exited(1, scene.now).phase("Running").build(), null);
      assertEquals("shop:2", Scene.starts(scene.decide()));
    }

    @Test
    void deletesWhatIsLeftOfOneThatWasBrokenOff() {
      scene.waiting("a", web1);
      var left = Scene.suspended(scene.job(web1, "shop:1", 1));
      scene.jobs.add(left);
      assertTrue(deletes(scene.decide(), left));
      assertTrue(scene.decide().confirm());
      scene.pods.clear();
      assertTrue(deletes(scene.decide(), left), "even when nothing is wanted any more");
    }

    @Test
    void isFinishedByUnsuspendingTheJobThatTheStatusNames() {
      scene.waiting("a", web1);
      var job = started();
      replace(Scene.suspended(job));
      assertTrue(scene.decide().effects().contains(new Effect.Unsuspend(job.name(), job.uid())));
    }

    @Test
    void takesUpARunningJobOfOursWhenTheStatusWasLost() {
      scene.waiting("a", web1);
      runs(started());
      scene.status = new net.coderanger.migrations.api.v1beta1.MigratorStatus();
      var status = applied().status();
      assertEquals("shop:1", status.getCurrent().getImage());
      assertEquals(1, status.getAttempts());
    }

    @Test
    void recordsAJobOnlyOnceThoughACrashKeptItFromBeingDeletedAfterItsRecord() {
      scene.waiting("a", web1);
      started();
      scene.waiting("b", web2);
      var given = applied(); // and the Job stays
      assertEquals(1, given.status().getHistory().size(), given::toString);
      applied();
      assertEquals(1, applied().status().getHistory().size());
    }

    @Test
    void takesNoJobOfAnotherOwnerForOurs() {
      scene.waiting("a", web1);
      var job = started();
      scene.jobs.clear();
      scene.uid = "migrator-2";
      scene.jobs.add(job);
      scene.status = new net.coderanger.migrations.api.v1beta1.MigratorStatus();
      assertNull(scene.decide().status().getCurrent());
    }

    @Test
    void doesNotTakeARecordedJobForWorkingThoughItsPodIsGoneBeforeItsEndShows() {
      scene.waiting("a", web1);
      var job = started();
      exits(job, 0);
      applied();
      scene.pods.removeIf(PodView::isRunPod);
      assertNull(scene.decide().status().getCurrent());
    }
  }
}
