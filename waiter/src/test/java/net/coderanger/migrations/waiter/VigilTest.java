package net.coderanger.migrations.waiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import module java.base;

import net.coderanger.migrations.waiter.Vigil.Next;
import org.junit.jupiter.api.Test;

class VigilTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final Event.Waiting RUNNING =
      new Event.Waiting("MigrationsRunning", "the migration of app:2 runs", "app-migrations-1", 1);
  private static final Fault REFUSED = Fault.of("The gate does not accept connections");

  private final Vigil vigil =
      new Vigil(
          "app",
          new Pace(
              Duration.ofMillis(200),
              Duration.ofSeconds(15),
              Duration.ofSeconds(60),
              Duration.ofSeconds(30),
              Duration.ofMinutes(5)),
          () -> 0,
          START);

  @Test
  void onlyReleasedOpens() {
    for (var event : List.of(RUNNING, new Event.Heartbeat(), new Event.Unknown())) {
      assertInstanceOf(Next.Listen.class, vigil.heard(event, START).next());
    }
    assertInstanceOf(Next.Pause.class, vigil.lost(REFUSED, START).next());
    assertEquals(
        new Vigil.Answer("Released after 1 min 5 s: the image is migrated", new Next.Open()),
        vigil.heard(new Event.Released(), START.plusSeconds(65)));
  }

  @Test
  void theStateIsSaidOnceForEachChange() {
    assertEquals(
        "MigrationsRunning (Job app-migrations-1, attempt 1): the migration of app:2 runs",
        vigil.heard(RUNNING, START).say());
    assertEquals("", vigil.heard(RUNNING, START.plusSeconds(10)).say());
    assertEquals(
        "MigrationsQueued: app:1 goes first",
        vigil
            .heard(
                new Event.Waiting("MigrationsQueued", "app:1 goes first", "", 0),
                START.plusSeconds(20))
            .say());
  }

  @Test
  void aFaultIsSaidOnceNotForEachTry() {
    assertEquals(
        "The gate does not accept connections; the pod waits, and the waiter keeps trying",
        vigil.lost(REFUSED, START).say());
    assertEquals("", vigil.lost(REFUSED, START.plusSeconds(1)).say());
    assertEquals(
        "The gate answers 503; the pod waits, and the waiter keeps trying",
        vigil.lost(Fault.of("The gate answers 503"), START.plusSeconds(2)).say());
  }

  @Test
  void theStateIsSaidAgainWhenTheGateIsBack() {
    var first = vigil.heard(RUNNING, START).say();
    vigil.lost(REFUSED, START.plusSeconds(1));
    assertEquals(first, vigil.heard(RUNNING, START.plusSeconds(2)).say());
  }

  @Test
  void anUnchangedStateIsRemindedOfNowAndThen() {
    vigil.heard(RUNNING, START);
    var said = new ArrayList<String>();
    for (var second = 10; second <= 610; second += 10) {
      said.add(vigil.heard(new Event.Heartbeat(), START.plusSeconds(second)).say());
    }
    said.removeIf(String::isEmpty);
    assertEquals(
        List.of(
            "Still waiting after 5 min 0 s: MigrationsRunning (Job app-migrations-1, attempt 1):"
                + " the migration of app:2 runs",
            "Still waiting after 10 min 0 s: MigrationsRunning (Job app-migrations-1, attempt 1):"
                + " the migration of app:2 runs"),
        said);
  }

  @Test
  void aLastingFaultIsRemindedOfToo() {
    vigil.lost(REFUSED, START);
    assertEquals(
        "Still waiting after 6 min 0 s: The gate does not accept connections; the pod waits, and"
            + " the waiter keeps trying",
        vigil.lost(REFUSED, START.plusSeconds(360)).say());
  }

  @Test
  void aConnectionWithoutAWordIsGivenUp() {
    assertEquals(new Next.Listen(START.plusSeconds(30)), vigil.asking(START).next());
    assertEquals(
        new Next.Listen(START.plusSeconds(50)),
        vigil.heard(new Event.Heartbeat(), START.plusSeconds(20)).next());
    assertEquals(new Next.Listen(START.plusSeconds(50)), vigil.idle(START.plusSeconds(30)).next());
    var given = vigil.idle(START.plusSeconds(50));
    assertEquals(
        "No word from the gate for 30 s; the pod waits, and the waiter keeps trying", given.say());
    assertInstanceOf(Next.Pause.class, given.next());
  }

  @Test
  void pausesGrowWhileTheGateFailsAndStartAnewAfterAGoodConnection() {
    assertEquals(new Next.Pause(START.plusMillis(200)), vigil.lost(REFUSED, START).next());
    assertEquals(new Next.Pause(START.plusMillis(400)), vigil.lost(REFUSED, START).next());
    assertEquals(new Next.Pause(START.plusMillis(800)), vigil.lost(REFUSED, START).next());
    vigil.asking(START);
    var later = START.plusSeconds(60);
    assertEquals(new Next.Pause(later.plusMillis(200)), vigil.lost(REFUSED, later).next());
  }

  @Test
  void aGateThatGreetsAndHangsUpIsNotHammered() {
    var pauses = new ArrayList<Next>();
    for (var i = 0; i < 10; i++) {
      vigil.asking(START);
      vigil.heard(RUNNING, START);
      pauses.add(vigil.lost(Fault.of("The gate closed the connection"), START).next());
    }
    assertEquals(new Next.Pause(START.plusMillis(7500)), pauses.getLast());
  }

  @Test
  void aGateThatSaysSoIsAskedAgainWithoutAWord() {
    var first = vigil.heard(RUNNING, START);
    assertEquals("", vigil.heard(new Event.Reconnect(), START.plusSeconds(20)).say());
    assertInstanceOf(
        Next.Pause.class, vigil.heard(new Event.Reconnect(), START.plusSeconds(20)).next());
    vigil.asking(START.plusSeconds(21));
    assertEquals("", vigil.heard(RUNNING, START.plusSeconds(21)).say(), first.say());
  }

  @Test
  void theGatesRetryAfterIsHonoured() {
    var busy = new Fault("The gate answers 429", Optional.of(Duration.ofSeconds(20)));
    assertEquals(new Next.Pause(START.plusSeconds(20)), vigil.lost(busy, START).next());
  }
}
