package net.coderanger.migrations.kube;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamespacesTest {
  @ParameterizedTest
  @ValueSource(strings = {"", "  "})
  void anEmptyListIsNoRestriction(String text) {
    assertEquals(Namespaces.ALL, of(text));
    assertTrue(of(text).include("any"));
    assertEquals(List.of(""), of(text).watched());
  }

  @Test
  void onlyWhatIsListedIsServed() {
    var namespaces = of("shop, billing,shop");
    assertEquals(List.of("shop", "billing"), namespaces.watched());
    assertTrue(namespaces.include("billing"));
    assertFalse(namespaces.include("other"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "shop,|empty element",
        ",|empty element",
        "shop,,billing|empty element",
        "Shop|'Shop' is no name",
        "shop billing|'shop billing' is no name",
        "a.b|'a.b' is no name",
        "shop,ops|'ops' is the operator's own namespace",
        "kube-system|kube-system",
      })
  void aBadListIsRefusedWithTheKeyAndTheNameInTheMessage(String text, String named) {
    var refused = assertThrows(IllegalArgumentException.class, () -> of(text));
    assertTrue(refused.getMessage().contains("kubernetes.namespaces"), refused::getMessage);
    assertTrue(refused.getMessage().contains(named), refused::getMessage);
  }

  private static Namespaces of(String text) {
    var config = Config.just(ConfigSources.create(Map.of("kubernetes.namespaces", text)));
    return Namespaces.from(config.get("kubernetes"), "ops");
  }
}
