package net.coderanger.migrations.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import org.junit.jupiter.api.Test;

class SettingsTest {
  private static Settings settings(Map<String, String> overrides) {
    return Settings.from(
        Config.builder(ConfigSources.create(overrides), ConfigSources.classpath("application.yaml"))
            .disableEnvironmentVariablesSource()
            .disableSystemPropertiesSource()
            .build());
  }

  @Test
  void everyKeyHasADefault() {
    var settings = settings(Map.of());

    assertEquals(new Version(1), settings.version());
    assertEquals(Duration.ofSeconds(60), settings.patience());
    assertEquals(Duration.ZERO, settings.slowness());
    assertFalse(settings.failing());
  }

  @Test
  void theMigrationIsSlowOrFailsWhenToldSo() {
    var settings =
        settings(Map.of("sample.migration-seconds", "20", "sample.migration-fail", "true"));

    assertEquals(Duration.ofSeconds(20), settings.slowness());
    assertTrue(settings.failing());
  }

  @Test
  void aVersionThatIsNoneIsRefused() {
    var overrides = Map.of("sample.version", "latest");

    assertThrows(IllegalArgumentException.class, () -> settings(overrides));
  }

  @Test
  void thePasswordIsNotShown() {
    var settings = settings(Map.of("database.password", "secret-word"));

    assertFalse(settings.toString().contains("secret-word"));
  }
}
