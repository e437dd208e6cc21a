package net.coderanger.migrations.waiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import net.coderanger.migrations.api.Vocabulary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
  private final Map<String, String> environment = new HashMap<>();

  SettingsTest() throws Exception {
    environment.put("waiter.migrator", "app");
    environment.put("waiter.pod-uid", "uid");
    environment.put("waiter.gate.ca", new Authority("a").pem() + new Authority("b").pem());
  }

  @Test
  void theDefaultsAreTheContracts() throws Exception {
    var settings = Settings.of(config());
    assertEquals(
        URI.create("https://migrator-controller.migrations-operator.svc:8443"), settings.gate());
    assertEquals(2, settings.authorities().size());
    assertEquals(Optional.empty(), settings.address());
    assertEquals(Path.of(Vocabulary.TOKEN_DIRECTORY, "token"), settings.token());
    assertEquals(Path.of(Vocabulary.MARKER_DIRECTORY, "app"), settings.marker());
    assertEquals(Path.of("/dev/termination-log"), Settings.terminationLog(config()));
    assertEquals(
        new Pace(
            Duration.ofMillis(200),
            Duration.ofSeconds(15),
            Duration.ofSeconds(60),
            Duration.ofSeconds(30),
            Duration.ofMinutes(5)),
        settings.pace());
  }

  @ParameterizedTest
  @CsvSource({
    "waiter.migrator, WAITER_MIGRATOR",
    "waiter.pod-uid, WAITER_POD_UID",
    "waiter.gate.url, WAITER_GATE_URL",
    "waiter.gate.ca, WAITER_GATE_CA",
    "waiter.back-off.max, WAITER_BACK_OFF_MAX"
  })
  void aMissingSettingIsToldByItsVariable(String key, String variable) {
    environment.put(key, " ");
    assertEquals(variable + " is missing", problem());
  }

  @ParameterizedTest
  @CsvSource({
    "waiter.migrator, ../x, WAITER_MIGRATOR is not the name of a Migrator: ../x",
    "waiter.migrator, a..b, WAITER_MIGRATOR is not the name of a Migrator: a..b",
    "waiter.gate.url, http://gate:1, WAITER_GATE_URL is not an https URL: http://gate:1",
    "waiter.gate.url, gate, WAITER_GATE_URL is not an https URL: gate",
    "waiter.gate.address, gate, WAITER_GATE_ADDRESS is not an IP address: gate",
    "waiter.gate.silence, 30, WAITER_GATE_SILENCE is not a duration such as PT0.2S: 30",
    "waiter.reminder, PT0S, WAITER_REMINDER is not a positive duration: PT0S"
  })
  void aSettingThatCannotWorkIsToldByItsVariable(String key, String value, String problem) {
    environment.put(key, value);
    assertEquals(problem, problem());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"})
  void certificatesThatAreNoneAreTold(String pem) {
    environment.put("waiter.gate.ca", pem);
    assertTrue(problem().startsWith("WAITER_GATE_CA holds no "), this::problem);
  }

  @Test
  void addressesOfBothFamiliesAreTaken() throws Exception {
    for (var address : List.of("10.96.0.10", "fd00::10")) {
      environment.put("waiter.gate.address", address);
      assertEquals(InetAddress.ofLiteral(address), Settings.of(config()).address().orElseThrow());
    }
  }

  private String problem() {
    return assertThrows(Settings.Invalid.class, () -> Settings.of(config())).getMessage();
  }

  private Config config() {
    return Config.builder()
        .disableEnvironmentVariablesSource()
        .disableSystemPropertiesSource()
        .sources(ConfigSources.create(environment), ConfigSources.classpath("application.yaml"))
        .build();
  }
}
