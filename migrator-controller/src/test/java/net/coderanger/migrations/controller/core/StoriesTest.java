package net.coderanger.migrations.controller.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import org.junit.jupiter.api.Test;

/** Whole stories on a simulated cluster, as a user would tell them. */
class StoriesTest {
  private final World world = new World();

  @Test
  void aNewImageIsMigratedOnceAndThenAllItsPodsStart() {
    world.deploy("web", "shop:2", 6);
    world.turns(3);
    assertEquals(1, world.jobs().size());
    assertEquals(0, world.released("shop:2"));
    world.settle(0);
    assertEquals(6, world.released("shop:2"));
    assertEquals(1, world.runs("shop:2"));
    assertEquals("MigrationsUpToDate", ready());
  }

  @Test
  void aRollBackAndAScaleUpAreReleasedAtOnce() {
    world.deployAndMigrate("shop:1");
    world.deployAndMigrate("shop:2");
    world.deploy("shop:1");
    world.scale("web", 5);
    world.turn();
    assertEquals(5, world.released("shop:1"));
    assertEquals(1, world.runs("shop:1"));
  }

  @Test
  void aNewerImageQueuesBehindAStartedMigration() {
    world.deploy("shop:2");
    world.turns(2);
    world.deploy("shop:3");
    world.turns(3);
    assertEquals(1, world.runPods().size());
    world.exit(0);
    world.turns(4);
    assertEquals(1, world.runs("shop:3"));
    world.settle(0);
    assertEquals(2, world.released("shop:3"));
  }

  @Test
  void aMistypedImageIsReplacedByTheCorrectedOne() {
    world.hindered = true;
    world.deploy("shop:typo");
    world.turns(3);
    world.deploy("shop:2");
    world.turns(4);
    world.hindered = false;
    world.settle(0);
    assertEquals(0, world.runs("shop:typo"));
    assertEquals(2, world.released("shop:2"));
  }

  @Test
  void aMistypedImageIsGivenUpAtTheRollBack() {
    world.deployAndMigrate("shop:1");
    world.hindered = true;
    world.deploy("shop:typo");
    world.turns(3);
    world.deploy("shop:1");
    world.turns(4);
    assertEquals("MigrationsUpToDate", ready());
    assertEquals(0, world.runs("shop:typo"));
    assertEquals(List.of("shop:1"), world.jobs().stream().map(JobView::image).toList());
  }

  @Test
  void aFailingMigrationIsRetriedWithDelayAndThenGivenUp() {
    world.deploy("shop:2");
    world.settle(1);
    assertEquals(4, world.runs("shop:2"));
    assertEquals("MigrationsFailed", ready());
    var told = assertInstanceOf(Verdict.Waiting.class, world.verdict(world.appPods().getFirst()));
    assertTrue(told.stuck());
  }

  @Test
  void aFailedMigrationIsFixedByANewImage() {
    world.deploy("shop:2");
    world.settle(1);
    world.deployAndMigrate("shop:3");
    assertEquals(2, world.released("shop:3"));
    assertEquals(4, world.runs("shop:2"));
  }

  @Test
  void aFailedMigrationIsFixedByTheSpec() {
    world.deploy("shop:2");
    world.settle(1);
    world.edit(spec -> spec.command(List.of("migrate", "--fixed")));
    world.settle(0);
    assertEquals(5, world.runs("shop:2"));
    assertEquals(2, world.released("shop:2"));
  }

  @Test
  void aFailedMigrationIsFixedByARequest() {
    world.deploy("shop:2");
    world.settle(1);
    world.request("again");
    world.settle(0);
    assertEquals(5, world.runs("shop:2"));
    assertEquals(2, world.released("shop:2"));
  }

  @Test
  void twoFailingImagesOfTwoDeploymentsDoNotStartEachOther() {
    world.deploy("web", "shop:2", 1);
    world.deploy("worker", "shop:3", 1);
    world.settle(1);
    assertEquals(4, world.runs("shop:2"));
    assertEquals(4, world.runs("shop:3"));
    assertEquals("MigrationsFailed", ready());
  }

  @Test
  void aSecondRunOnRequestLeavesTheGateOpen() {
    world.deployAndMigrate("shop:2");
    world.request("again");
    world.turns(3);
    world.scale("web", 4);
    world.turn();
    assertEquals(4, world.released("shop:2"));
    world.settle(0);
    assertEquals(2, world.runs("shop:2"));
  }

  @Test
  void aRequestThatCameDuringARunIsAnsweredAfterIt() {
    world.deploy("shop:2");
    world.turns(3);
    world.request("again");
    world.settle(0);
    assertEquals(2, world.runs("shop:2"));
  }

  @Test
  void aRequestWhileSuspendedWaitsAndIsAnsweredOnce() {
    world.deployAndMigrate("shop:2");
    world.edit(spec -> spec.suspend(true));
    world.request("a");
    world.request("b");
    world.settle(0);
    assertEquals("MigrationsSuspended", ready());
    world.edit(spec -> spec.suspend(false));
    world.settle(0);
    assertEquals(2, world.runs("shop:2"));
  }

  @Test
  void aChangedCommandDuringTheRunRunsAgain() {
    world.deploy("shop:2");
    world.turns(3);
    world.edit(spec -> spec.command(List.of("migrate", "--other")));
    world.exit(0);
    world.turns(3);
    assertEquals(0, world.released("shop:2"));
    world.settle(0);
    assertEquals(2, world.runs("shop:2"));
    assertEquals(2, world.released("shop:2"));
  }

  @Test
  void aDrainedMigratorThatExitsWithZeroHasNotMigrated() {
    world.deploy("shop:2");
    world.turns(3);
    world.deleteRunPods();
    world.exit(0);
    world.turns(3);
    assertEquals(0, world.released("shop:2"));
    assertEquals("MigrationsRetrying", ready());
    world.settle(0);
    assertEquals(2, world.runs("shop:2"));
  }

  @Test
  void aDeletedMigratorIsKeptUntilItsMigrationHasEndedAndKnowsTheResult() {
    world.deploy("shop:2");
    world.turns(3);
    world.delete();
    world.turns(3);
    assertTrue(world.migrator().isPresent());
    assertEquals(1, world.runPods().size());
    world.exit(0);
    world.reconcile();
    assertEquals("shop:2", world.status().getLastSuccessfulMigration());
    world.settle(0);
    assertTrue(world.migrator().isEmpty());
    assertEquals(0, world.released("shop:2"));
  }

  @Test
  void aMigratorRecreatedAtOnceWaitsForTheOldJob() {
    world.deploy("shop:2");
    world.turns(3);
    world.delete();
    world.exit(0);
    world.settle(0);
    world.create();
    world.settle(0);
    assertEquals(2, world.runs("shop:2"));
    assertEquals(2, world.released("shop:2"));
  }

  @Test
  void aLostStatusTakesTheRunningJobUpAgain() {
    world.deploy("shop:2");
    world.turns(3);
    world.loseStatus();
    world.turns(3);
    world.settle(0);
    assertEquals(1, world.runs("shop:2"));
    assertEquals(2, world.released("shop:2"));
  }

  @Test
  void anImageThatMadeWayDoesNotComeBackFirst() {
    world.hindered = true;
    world.deploy("web", "shop:2", 1);
    world.turns(2);
    world.now = world.now.plusSeconds(5);
    world.deploy("worker", "shop:3", 1);
    world.turns(2);
    world.hindered = false;
    world.settle(0);
    assertEquals(1, world.released("shop:2"));
    assertEquals(1, world.released("shop:3"));
  }

  @Test
  void nothingIsLeftOfAStartThatWasBrokenOffAfterAnyStep() {
    for (var steps = 0; steps < 6; steps++) {
      var other = new World();
      other.deploy("shop:2");
      other.reconcile(steps, false);
      other.settle(0);
      assertEquals(2, other.released("shop:2"), "after step " + steps);
      assertEquals(1, other.runs("shop:2"), "after step " + steps);
      assertNull(other.status().getCurrent());
    }
  }

  private String ready() {
    return Scene.condition(world.status(), "Ready").getReason();
  }
}
