package net.coderanger.migrations.kube;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;

/** Who makes way; times in whatever unit. */
class VisitorsTest {
  private static final int LONGEST_REQUEST = 100;

  private final Visitors visitors = new Visitors(2, 2, LONGEST_REQUEST);

  @Test
  void aFloodOfThoseThatSayNothingReachesNobodyWhoHasSaidAWord() throws IOException {
    come("early", 0);
    assertEquals(Optional.empty(), visitors.speak(address("early"), Thread.currentThread(), 1));
    come("a", 2);
    come("b", 3);
    assertTrue(come("c", 4).orElseThrow().isLate(2 + 11), "the oldest that is silent");
    assertTrue(visitors.at(address("early")).isPresent());
    assertEquals(3, visitors.number());
  }

  @Test
  void whoHasNotAskedMakesWayForWhoSpeaks() throws IOException {
    speak("guest", 0);
    visitors.ask(address("guest"), 1, 1000);
    speak("stranger", 2);
    assertTrue(speak("next", 3).isPresent());
    assertTrue(visitors.at(address("stranger")).isEmpty());
    assertTrue(visitors.at(address("guest")).isPresent());
    assertTrue(visitors.at(address("next")).isPresent());
  }

  @Test
  void nobodyMakesWayWhoMayBeWaitingForHisAnswer() throws IOException {
    for (var guest : List.of("one", "two")) {
      speak(guest, 0);
      visitors.ask(address(guest), 0, 1000);
    }
    visitors.askAgain(address("one"), 50, 1000);
    assertTrue(speak("too many", LONGEST_REQUEST).isPresent());
    assertTrue(visitors.at(address("too many")).isEmpty(), "he goes himself");
    assertTrue(speak("later", LONGEST_REQUEST + 1).isPresent());
    assertTrue(visitors.at(address("two")).isEmpty(), "he asked too long ago");
    assertTrue(visitors.at(address("one")).isPresent());
  }

  @Test
  void whoIsClosedCountsNoLonger() throws IOException {
    speak("one", 0);
    speak("two", 0);
    visitors.at(address("one")).orElseThrow().channel().close();
    assertEquals(Optional.empty(), speak("three", 1));
    assertTrue(visitors.at(address("two")).isPresent());
  }

  private Optional<Visitors.Visitor> speak(String name, long now) throws IOException {
    assertEquals(Optional.empty(), come(name, now));
    return visitors.speak(address(name), Thread.currentThread(), now);
  }

  private Optional<Visitors.Visitor> come(String name, long now) throws IOException {
    return visitors.come(address(name), SocketChannel.open(), now, now + 10);
  }

  private static SocketAddress address(String name) {
    return InetSocketAddress.createUnresolved(name, 1);
  }
}
