package net.coderanger.migrations.injector.shell;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

  @Test
  void aFileIsFollowedFromBeforeItIsThere(@TempDir Path directory) throws IOException {
    var file = directory.resolve("ca.crt");
    ca.follow(file, Duration.ofMillis(10));
    for (var pem : List.of(TestCertificate.pem(), TestCertificate.pem())) {
      Files.writeString(file, pem);
      await().until(() -> ca.pem().equals(Optional.of(pem)));
    }
  }
}
