package net.coderanger.migrations.injector.shell;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import net.coderanger.migrations.kube.TlsSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InjectorSettingsTest {
  @Test
  void theDefaultsOfTheImageAreGood() {
    var settings = settings(Map.of());
    assertEquals(
        "https://migrator-controller.migrations-operator.svc:8443", settings.waiter().gateUrl());
    assertFalse(settings.waiter().image().contains("$"), settings.waiter()::image);
    assertEquals(65532, settings.waiter().user());
    assertEquals(Optional.empty(), settings.gateCaFile());
    assertEquals(TlsSettings.Mode.SELF_MANAGED, settings.tls().mode());
    assertEquals("injector-webhook-tls", settings.tls().secret());
    assertTrue(
        settings.tls().dnsNames().contains("injector-webhook.migrations-operator.svc"),
        settings.tls()::toString);
  }

  @Test
  void whatIsSetIsTaken() {
    var settings =
        settings(
            Map.of(
                "injector.namespace", "ops",
                "injector.gate-service", "gate",
                "injector.gate-port", "443",
                "injector.gate-ca-file", "/ca/ca.crt",
                "injector.waiter-group", "0"));
    assertEquals("https://gate.ops.svc:443", settings.waiter().gateUrl());
    assertEquals(Optional.of(Path.of("/ca/ca.crt")), settings.gateCaFile());
    assertEquals(0, settings.waiter().group());
    assertEquals("ops", settings.tls().namespace());
  }

  @ParameterizedTest
  @CsvSource({
    "injector.namespace, ''",
    "injector.namespace, A",
    "injector.service, a.b",
    "injector.gate-service, a/b",
    "injector.gate-port, 0",
    "injector.gate-port, x",
    "injector.waiter-image, ''",
    "injector.waiter-image, a b",
    "injector.waiter-user, 0",
    "injector.waiter-user, 3000000000",
    "injector.waiter-group, -1",
    "injector.waiter-cpu-request, much",
    "injector.waiter-cpu-limit, 0",
    "injector.waiter-memory, ''",
    "injector.waiter-memory, -1Mi",
    "injector.webhook-configuration, ''",
    "injector.gate-ca-config-map, _",
    "injector.drain, 5s",
    "injector.drain, -PT1S",
    "kubernetes.namespaces, migrations-operator",
    "tls.mode, none",
    "tls.poll, PT0S"
  })
  void aBadValueIsNamedByItsKey(String key, String value) {
    var bad = assertThrows(IllegalArgumentException.class, () -> settings(Map.of(key, value)));
    assertTrue(bad.getMessage().contains(key), bad::getMessage);
  }

  private static InjectorSettings settings(Map<String, String> set) {
    return InjectorSettings.from(
        Config.create(ConfigSources.create(set), ConfigSources.classpath("application.yaml")));
  }
}
