package net.coderanger.migrations.kube;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;

/** Who makes way; times in whatever unit. */
class VisitorsTest {
  private static final long TURN = 10;
  private static final long LONGEST_REQUEST = 100;

  private final Visitors visitors =
      new Visitors(new Visitors.Limits(2, 2, 1, TURN, LONGEST_REQUEST));

  @Test
  void aFloodOfThoseThatSayNothingReachesNobodyWhoHasSaidAWord() throws IOException {
    come("one");
    speak("one");
    assertEquals(List.of(), visitors.proceed(0, 1000));
    come("a");
    come("b");
    var oldest = visitors.all().getFirst();
    assertEquals(Optional.of(oldest), visitors.come(address("c"), SocketChannel.open(), 1000));
    assertTrue(visitors.at(address("one")).isPresent());
    assertEquals(3, visitors.number());
  }

  @Test
  void whoShakesHandsKeepsOthersWaitingNoLongerThanHisTurn() throws Exception {
    come("one");
    come("two");
    speak("one");
    var two = speak("two");
    visitors.proceed(0, 1000);
    assertTrue(visitors.at(address("one")).isPresent());
    assertTrue(visitors.at(address("two")).isEmpty());
    visitors.proceed(TURN + 1, 1000);
    two.awaitTurn();
    assertTrue(visitors.at(address("two")).isPresent());
    assertTrue(visitors.at(address("one")).isPresent(), "he may go on");
  }

  @Test
  void whoAsksLetsTheNextOneShakeHands() throws Exception {
    come("one");
    come("two");
    speak("one");
    visitors.proceed(0, 1000);
    visitors.ask(address("one"), 1, 1000);
    var two = speak("two");
    visitors.proceed(1, 1000);
    two.awaitTurn();
  }

  @Test
  void whoHasNotAskedMakesWayForWhoSpeaks() throws IOException {
    guest("guest", 0);
    stranger("stranger", 1);
    assertEquals(1, stranger("next", 2 + TURN).size());
    assertTrue(visitors.at(address("stranger")).isEmpty());
    assertTrue(visitors.at(address("guest")).isPresent());
    assertTrue(visitors.at(address("next")).isPresent());
  }

  @Test
  void nobodyMakesWayWhoMayBeWaitingForHisAnswer() throws IOException {
    guest("one", 0);
    guest("two", 0);
    visitors.askAgain(address("one"), 50, 1000);
    assertEquals(1, stranger("too many", LONGEST_REQUEST).size(), "he goes himself");
    assertTrue(visitors.at(address("too many")).isEmpty());
    assertEquals(1, stranger("later", LONGEST_REQUEST + 1).size());
    assertTrue(visitors.at(address("two")).isEmpty(), "he asked too long ago");
    assertTrue(visitors.at(address("one")).isPresent());
  }

  @Test
  void whoIsClosedCountsNoLonger() throws IOException {
    stranger("one", 0);
    stranger("two", 1 + TURN);
    visitors.at(address("one")).orElseThrow().channel().close();
    assertEquals(List.of(), stranger("three", 2 * (1 + TURN)));
    assertTrue(visitors.at(address("two")).isPresent());
  }

  private void guest(String name, long now) throws IOException {
    assertEquals(List.of(), stranger(name, now));
    visitors.ask(address(name), now, 1000);
  }

  private List<Visitors.Visitor> stranger(String name, long now) throws IOException {
    come(name);
    speak(name);
    return visitors.proceed(now, 1000);
  }

  private void come(String name) throws IOException {
    assertEquals(Optional.empty(), visitors.come(address(name), SocketChannel.open(), 1000));
  }

  private Visitors.Visitor speak(String name) {
    return visitors.speak(address(name), Thread.currentThread()).orElseThrow();
  }

  private static SocketAddress address(String name) {
    return InetSocketAddress.createUnresolved(name, 1);
  }
}
