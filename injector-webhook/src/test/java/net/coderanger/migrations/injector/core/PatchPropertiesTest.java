package net.coderanger.migrations.injector.core;

import static net.coderanger.migrations.injector.core.Scene.*;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import net.coderanger.migrations.injector.core.Outcome.Patch;
import net.coderanger.migrations.injector.core.Outcome.Reason;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class PatchPropertiesTest {
  private static final List<String> WAITERS = List.of("migrate-wait-db", "migrate-wait-zoo");

  @Provide
  Arbitrary<JsonObject> pods() {
    return Arbitraries.randomValue(random -> new RandomPods(random).pod());
  }

  @Property
  void everyPatchAppliesAndTheWaitersAreLast(@ForAll("pods") JsonObject pod) {
    var names = initNames(gated(pod, "zoo", "db"));
    assertEquals(WAITERS, names.subList(names.size() - 2, names.size()));
    assertEquals(2, names.stream().filter(WAITERS::contains).count());
  }

  @Property
  void everyPatchIsIdempotent(@ForAll("pods") JsonObject pod) {
    assertEquals(Reason.ALREADY_GATED, untouched(decide(gated(pod, "zoo", "db"), "zoo", "db")));
  }

  @Property
  void twoLibrariesApplyItAlike(@ForAll("pods") JsonObject pod) {
    var patch = assertInstanceOf(Patch.class, decide(pod, "zoo", "db"));
    assertEquals(Raw.JSON.createPatch(patch.operations()).apply(pod), applied(pod, patch));
  }

  @Property
  void nothingElseOfThePodChanges(@ForAll("pods") JsonObject pod) {
    var gated = gated(pod, "zoo", "db");
    assertEquals(pod.get("metadata"), gated.get("metadata"));
    assertEquals(rest(pod), rest(gated));
    assertEquals(others(pod), others(gated));
    var volumes = array(pod, "volumes");
    assertEquals(volumes, array(gated, "volumes").subList(0, volumes.size()));
  }

  @Property
  void everyMountHasItsVolume(@ForAll("pods") JsonObject pod) {
    var gated = gated(pod, "zoo", "db");
    for (var name : WAITERS) {
      initContainer(gated, name).getJsonArray("volumeMounts").stream()
          .map(mount -> mount.asJsonObject().getString("name"))
          .forEach(volume -> assertTrue(volumeNames(gated).contains(volume), volume));
    }
  }

  @Property
  void aPodOfWrongTypesIsMalformedAndNothingWorse(
      @ForAll("pods") JsonObject pod, @ForAll Random random) {
    var broken = broken(pod, random).asJsonObject();
    try {
      assertNotNull(decide(broken, "zoo", "db"));
    } catch (MalformedReview e) {
      assertNotNull(e.getMessage());
    }
  }

  private static JsonValue broken(JsonValue value, Random random) {
    if (value instanceof JsonObject object) {
      var copy = Raw.JSON.createObjectBuilder();
      object.forEach((key, member) -> copy.add(key, damaged(member, random)));
      return copy.build();
    }
    if (value instanceof JsonArray array) {
      var copy = Raw.JSON.createArrayBuilder();
      array.forEach(element -> copy.add(damaged(element, random)));
      return copy.build();
    }
    return value;
  }

  private static JsonValue damaged(JsonValue value, Random random) {
    return switch (random.nextInt(20)) {
      case 0 -> Raw.JSON.createValue(1);
      case 1 -> JsonValue.EMPTY_JSON_ARRAY;
      case 2 -> JsonValue.EMPTY_JSON_OBJECT;
      case 3 -> Raw.JSON.createValue("");
      default -> broken(value, random);
    };
  }

  private static JsonObject rest(JsonObject pod) {
    return Raw.JSON
        .createObjectBuilder(pod.getJsonObject("spec"))
        .remove("initContainers")
        .remove("volumes")
        .build();
  }

  private static List<JsonValue> others(JsonObject pod) {
    return array(pod, "initContainers").stream()
        .filter(it -> !WAITERS.contains(it.asJsonObject().getString("name")))
        .toList();
  }

  private static List<JsonValue> array(JsonObject pod, String key) {
    return pod.getJsonObject("spec").get(key) instanceof JsonArray array ? array : List.of();
  }
}
