package net.coderanger.migrations.kube;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.openapi.models.V1LabelSelector;
import io.kubernetes.client.openapi.models.V1LabelSelectorRequirement;
import org.junit.jupiter.api.Test;

class SelectorTest {
  private static final Map<String, String> LABELS = Map.of("app", "shop", "tier", "web");

  @Test
  void anAbsentSelectorSelectsNothingAndAnEmptyOneEverything() {
    assertFalse(Selector.of(null).test(LABELS));
    assertTrue(Selector.of(new V1LabelSelector()).test(LABELS));
    assertTrue(Selector.of(new V1LabelSelector()).test(Map.of()));
  }

  @Test
  void matchLabelsMustAllHold() {
    assertTrue(Selector.of(new V1LabelSelector().matchLabels(LABELS)).test(LABELS));
    assertFalse(
        Selector.of(new V1LabelSelector().matchLabels(Map.of("app", "shop", "x", "y")))
            .test(LABELS));
  }

  @Test
  void expressionsFollowKubernetes() {
    assertTrue(test("app", "In", "shop", "other"));
    assertFalse(test("absent", "In", "shop"));
    assertFalse(test("app", "NotIn", "shop"));
    assertTrue(test("absent", "NotIn", "shop"));
    assertTrue(test("app", "Exists"));
    assertFalse(test("absent", "Exists"));
    assertTrue(test("absent", "DoesNotExist"));
    assertFalse(test("app", "DoesNotExist"));
  }

  @Test
  void anExpressionOlderThanTheValidationIsRefusedByName() {
    var error = assertThrows(IllegalArgumentException.class, () -> test("app", "In"));
    assertTrue(error.getMessage().contains("app"), error.getMessage());
    assertThrows(IllegalArgumentException.class, () -> test("app", "Like", "x"));
  }

  private static boolean test(String key, String operator, String... values) {
    return Selector.of(
            new V1LabelSelector()
                .addMatchExpressionsItem(
                    new V1LabelSelectorRequirement()
                        .key(key)
                        .operator(operator)
                        .values(List.of(values))))
        .test(LABELS);
  }
}
