package net.coderanger.migrations.api;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;

class NamesTest {
  private static final Pattern DNS_LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

  @Test
  void anOrdinaryNameIsKeptSoThatTheOriginalsContainerNamesStay() {
    assertEquals("migrate-wait-shop", Names.waiter("shop"));
    assertEquals("shop", Names.label("shop"));
    assertTrue(Names.job("shop", "a").startsWith("shop-migrations-"));
  }

  @Test
  void dotsAreReplacedAndDoNotMakeTwoNamesOne() {
    assertNotEquals(Names.waiter("a.b"), Names.waiter("a-b"));
    assertTrue(DNS_LABEL.matcher(Names.waiter("a.b")).matches());
  }

  @Test
  void aNameOf253CharactersFitsAndStaysDistinct() {
    var first = "a".repeat(49) + "." + "b".repeat(203);
    var second = "a".repeat(49) + "." + "b".repeat(202) + "c";
    for (var name : List.of(first, second)) {
      for (var fitted : List.of(Names.waiter(name), Names.job(name, "1"), Names.label(name))) {
        assertTrue(DNS_LABEL.matcher(fitted).matches(), fitted);
      }
    }
    assertNotEquals(Names.waiter(first), Names.waiter(second));
    assertNotEquals(Names.label(first), Names.label(second));
    assertNotEquals(Names.job(first, "1"), Names.job(second, "1"));
  }

  @Test
  void anotherIdentityIsAnotherJob() {
    assertNotEquals(Names.job("m", "image:1", "1"), Names.job("m", "image:1", "2"));
    assertEquals(Names.job("m", "image:1", "1"), Names.job("m", "image:1", "1"));
  }
}
