package net.coderanger.migrations.injector.shell;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;

class GateCaTest {
  private final GateCa ca = new GateCa();

  @Test
  void thereIsNoneUntilAGoodOneIsOffered() {
    assertEquals(Optional.empty(), ca.pem());
    ca.offer("");
    ca.offer("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assertEquals(Optional.empty(), ca.pem());
  }

  @Test
  void theLastGoodOneStays() {
    var first = TestCertificate.pem();
    ca.offer(first);
    assertEquals(Optional.of(first), ca.pem());
    ca.offer("garbage");
    assertEquals(Optional.of(first), ca.pem());
    var both = first + TestCertificate.pem();
    ca.offer(both);
    assertEquals(Optional.of(both), ca.pem());
  }
}
