package net.coderanger.migrations.kube;

import module java.base;

import io.kubernetes.client.openapi.models.V1LabelSelector;
import io.kubernetes.client.openapi.models.V1LabelSelectorRequirement;

/**
 * A compiled label selector. Semantics:
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors, as in
 * metav1.LabelSelectorAsSelector: null selects nothing, an empty one everything; NotIn and
 * DoesNotExist hold where the key is absent.
 */
public final class Selector implements Predicate<Map<String, String>> {
  private static final Selector NOTHING = new Selector(List.of(labels -> false));
  private static final Selector EVERYTHING = new Selector(List.of());

  private final List<Predicate<Map<String, String>>> requirements;

  private Selector(List<Predicate<Map<String, String>>> requirements) {
    this.requirements = requirements;
  }

  /** Selects nothing. */
  public static Selector nothing() {
    return NOTHING;
  }

  /** Selects everything. */
  public static Selector everything() {
    return EVERYTHING;
  }

  /**
   * Compiles a selector; null selects nothing.
   *
   * @throws IllegalArgumentException naming the requirement that is none, for objects older than
   *     the schema's validation
   */
  public static Selector of(V1LabelSelector selector) {
    if (selector == null) {
      return NOTHING;
    }
    var requirements = new ArrayList<Predicate<Map<String, String>>>();
    if (selector.getMatchLabels() != null) {
      selector
          .getMatchLabels()
          .forEach((key, value) -> requirements.add(labels -> value.equals(labels.get(key))));
    }
    if (selector.getMatchExpressions() != null) {
      selector.getMatchExpressions().forEach(r -> requirements.add(requirement(r)));
    }
    return requirements.isEmpty() ? EVERYTHING : new Selector(List.copyOf(requirements));
  }

  private static Predicate<Map<String, String>> requirement(V1LabelSelectorRequirement r) {
    var key = r.getKey();
    var values = r.getValues() == null ? Set.<String>of() : Set.copyOf(r.getValues());
    if (key == null || r.getOperator() == null) {
      throw new IllegalArgumentException("matchExpressions needs key and operator");
    }
    var needsValues = Set.of("In", "NotIn").contains(r.getOperator());
    if (needsValues == values.isEmpty()) {
      throw new IllegalArgumentException(
          "matchExpressions with key %s: values are required for In and NotIn only".formatted(key));
    }
    return switch (r.getOperator()) {
      case "In" -> labels -> labels.containsKey(key) && values.contains(labels.get(key));
      case "NotIn" -> labels -> !labels.containsKey(key) || !values.contains(labels.get(key));
      case "Exists" -> labels -> labels.containsKey(key);
      case "DoesNotExist" -> labels -> !labels.containsKey(key);
      default ->
          throw new IllegalArgumentException(
              "matchExpressions with key %s: unknown operator %s".formatted(key, r.getOperator()));
    };
  }

  @Override
  public boolean test(Map<String, String> labels) {
    for (var requirement : requirements) {
      if (!requirement.test(labels)) {
        return false;
      }
    }
    return true;
  }
}
