package net.coderanger.migrations.kube;

import static org.junit.jupiter.api.Assertions.assertEquals;

import module java.base;

import org.junit.jupiter.api.Test;

class OutageTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  private final Outage outage = new Outage();
  private final List<String> told = new ArrayList<>();

  @Test
  void anOutageIsToldOnceHoweverManyCallsFail() {
    for (var second = 0; second < 120; second++) {
      failedAt(second);
    }
    answeredAt(120);
    answeredAt(121);
    assertEquals(
        List.of(
            "The API server cannot be reached, which is tried again and again: refused",
            "The API server can be reached again, after 120 s and 120 calls that failed"),
        told);
  }

  @Test
  void aWayThatFailsNowAndThenIsToldOnceAMinute() {
    for (var second = 0; second < 180; second += 2) {
      failedAt(second);
      answeredAt(second + 1);
    }
    assertEquals(
        List.of(
            "The API server cannot be reached, which is tried again and again: refused",
            "The API server can be reached again, after 1 s and 1 calls that failed",
            "The API server cannot be reached, 31 calls failed since this was told last: refused",
            "The API server can be reached again, after 1 s and 31 calls that failed",
            "The API server cannot be reached, 31 calls failed since this was told last: refused",
            "The API server can be reached again, after 1 s and 31 calls that failed"),
        told);
  }

  @Test
  void anOutageThatBeginsSoonAfterAnotherIsToldWhenItLasts() {
    failedAt(0);
    answeredAt(1);
    for (var second = 10; second < 100; second++) {
      failedAt(second);
    }
    answeredAt(100);
    assertEquals(
        List.of(
            "The API server cannot be reached, 52 calls failed since this was told last: refused",
            "The API server can be reached again, after 90 s and 90 calls that failed"),
        told.subList(2, told.size()));
  }

  @Test
  void nothingIsToldWhileAllIsWell() {
    answeredAt(0);
    assertEquals(List.of(), told);
  }

  private void failedAt(int second) {
    outage.failed("refused", NOON.plusSeconds(second)).ifPresent(told::add);
  }

  private void answeredAt(int second) {
    outage.answered(NOON.plusSeconds(second)).ifPresent(told::add);
  }
}
