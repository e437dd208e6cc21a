package net.coderanger.migrations.kube;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TlsSettingsTest {
  @Test
  void everyKeyHasADefault() {
    assertEquals(
        new TlsSettings(
            TlsSettings.Mode.SELF_MANAGED,
            Path.of("/tmp/k8s-webhook-server/serving-certs"),
            "ns",
            "hook-tls",
            List.of("hook", "hook.ns", "hook.ns.svc", "hook.ns.svc.cluster.local"),
            Duration.ofSeconds(10),
            Duration.ofDays(7),
            Duration.ofDays(3650)),
        of(Map.of()));
  }

  @Test
  void keysAreRead() {
    var settings = of(Map.of("tls.mode", "files", "tls.directory", "/certs", "tls.poll", "PT1S"));
    assertEquals(TlsSettings.Mode.FILES, settings.mode());
    assertEquals(Path.of("/certs"), settings.directory());
    assertEquals(Duration.ofSeconds(1), settings.poll());
  }

  @ParameterizedTest
  @CsvSource({
    "tls.mode, cert-manager",
    "tls.poll, 10",
    "tls.poll, PT0S",
    "tls.leaf-lifetime, a week",
    "tls.leaf-lifetime, PT30S",
    "tls.ca-lifetime, P7D",
    "tls.secret, ''",
  })
  void aBadValueNamesItsKey(String key, String value) {
    var refused = assertThrows(IllegalArgumentException.class, () -> of(Map.of(key, value)));
    assertTrue(refused.getMessage().contains(key), refused::getMessage);
  }

  @Test
  void aLeafIsLookedAtTwiceAfterItIsDueWhoeverMadeIt() {
    var settings = of(Map.of("tls.poll", "PT10S"));
    assertEquals(Duration.ofSeconds(10), settings.pause(Duration.ofDays(7)));
    assertEquals(Duration.ofSeconds(3), settings.pause(Duration.ofSeconds(18)));
  }

  @Test
  void aSuccessorOfTheCaIsKnownBeforeItSigns() {
    var keys = Map.of("tls.poll", "PT10S", "tls.leaf-lifetime", "PT1M");
    var shorter = new HashMap<>(keys);
    shorter.put("tls.ca-lifetime", "PT119S");
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> of(shorter))
            .getMessage()
            .startsWith("tls.ca-lifetime must be at least 12 times tls.poll"));
    shorter.put("tls.ca-lifetime", "PT2M");
    assertTrue(of(shorter).warning().orElseThrow().contains("waits longer than PT20S"));
  }

  @Test
  void onlyAShortLifeOfACaOfOursIsWarnedOf() {
    assertEquals(Optional.empty(), of(Map.of()).warning());
    assertTrue(
        of(Map.of("tls.ca-lifetime", "P5D", "tls.leaf-lifetime", "P1D")).warning().isPresent());
    var mounted = Map.of("tls.ca-lifetime", "P5D", "tls.leaf-lifetime", "P1D", "tls.mode", "files");
    assertEquals(Optional.empty(), of(mounted).warning());
  }

  private static TlsSettings of(Map<String, String> keys) {
    return TlsSettings.from(Config.just(ConfigSources.create(keys)).get("tls"), "ns", "hook");
  }
}
