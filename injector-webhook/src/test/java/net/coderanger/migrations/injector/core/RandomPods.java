package net.coderanger.migrations.injector.core;

import module java.base;

import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonValue;

/** Pods as nobody would write them, though the API server might send them. */
record RandomPods(Random random) {
  private static final List<String> KEYS =
      List.of("a/b", "~", "~1", "~0/", "", "a.b/c~d", "-", "0", "'\"\\", "ü€😀", "app", "name");
  private static final List<String> NAMES =
      List.of(
          "a",
          "b",
          "migrate-wait-db",
          "migrate-wait-zoo",
          "migrate-wait-",
          "migrate-wait-old",
          "~1/x");
  private static final List<String> VOLUMES =
      List.of(
          "v",
          "migrate-wait-token",
          "migrate-wait-token-2",
          "migrate-wait-marker",
          "kube-api-access-x");

  /** The waiter as it stands in a pod with and without host network. */
  private static final List<JsonObject> OURS =
      Stream.of(true, false)
          .map(it -> Scene.gated(Scene.pod("{'hostNetwork':%b}".formatted(it)), "db"))
          .map(it -> Scene.initContainer(it, "migrate-wait-db"))
          .toList();

  JsonObject pod() {
    var metadata = Raw.JSON.createObjectBuilder().add("labels", labels());
    maybe(metadata, "annotations", () -> strings(KEYS));
    maybe(metadata, "name", () -> Raw.JSON.createValue("p"));
    var spec = Raw.JSON.createObjectBuilder();
    maybe(spec, "initContainers", () -> array(this::initContainer));
    maybe(spec, "containers", () -> array(() -> container(List.of("a", "b", "main"))));
    maybe(spec, "volumes", () -> array(this::volume));
    maybe(spec, "hostNetwork", () -> random.nextBoolean() ? JsonValue.TRUE : JsonValue.FALSE);
    maybe(spec, "resources", () -> strings(List.of("limits", "requests")));
    maybe(spec, "nodeSelector", () -> strings(KEYS));
    return Raw.JSON.createObjectBuilder().add("metadata", metadata).add("spec", spec).build();
  }

  private JsonObject labels() {
    return Raw.JSON.createObjectBuilder(strings(KEYS)).add("app", "shop").build();
  }

  private JsonObject initContainer() {
    return random.nextInt(4) == 0 ? OURS.get(random.nextInt(2)) : container(NAMES);
  }

  private JsonObject container(List<String> names) {
    var container = Raw.JSON.createObjectBuilder().add("name", pick(names));
    maybe(
        container,
        "image",
        () -> Raw.JSON.createValue(pick(List.of("a", "a:1", "r:1/a@sha256:0"))));
    maybe(container, "command", () -> array(() -> Raw.JSON.createValue(pick(KEYS))));
    maybe(container, "env", () -> array(() -> strings(List.of("name", "value"))));
    maybe(container, "restartPolicy", () -> Raw.JSON.createValue("Always"));
    return container.build();
  }

  private JsonObject volume() {
    var volume = Raw.JSON.createObjectBuilder().add("name", pick(VOLUMES));
    maybe(volume, "emptyDir", () -> strings(List.of("medium")));
    maybe(
        volume, "projected", () -> Raw.JSON.createObjectBuilder().add("defaultMode", 420).build());
    return volume.build();
  }

  /** Absent, null, or there. */
  private void maybe(JsonObjectBuilder object, String key, Supplier<JsonValue> value) {
    switch (random.nextInt(4)) {
      case 0 -> {}
      case 1 -> object.addNull(key);
      default -> object.add(key, value.get());
    }
  }

  private JsonValue array(Supplier<? extends JsonValue> element) {
    JsonArrayBuilder array = Raw.JSON.createArrayBuilder();
    for (var i = random.nextInt(5); i > 0; i--) {
      array.add(element.get());
    }
    return array.build();
  }

  private JsonObject strings(List<String> keys) {
    var object = Raw.JSON.createObjectBuilder();
    for (var i = random.nextInt(3); i > 0; i--) {
      object.add(pick(keys), pick(KEYS));
    }
    return object.build();
  }

  private String pick(List<String> from) {
    return from.get(random.nextInt(from.size()));
  }
}
