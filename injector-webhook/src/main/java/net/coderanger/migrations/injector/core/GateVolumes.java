package net.coderanger.migrations.injector.core;

import static net.coderanger.migrations.injector.core.Raw.JSON;

import module java.base;

import jakarta.json.JsonObject;
import net.coderanger.migrations.api.Vocabulary;

/**
 * The two volumes that all waiters of a pod share. A volume that is there already is used when it
 * is just what we need, else left alone, and ours takes a free name.
 *
 * @param token name of the volume of the waiters' identity
 * @param marker name of the volume of the waiters' memory
 * @param missing what must be added to the pod
 */
record GateVolumes(String token, String marker, List<JsonObject> missing) {
  private static final String TOKEN = "migrate-wait-token";
  private static final String MARKER = "migrate-wait-marker";

  /** Seconds; the least that the API server grants. */
  private static final int TOKEN_LIFETIME = 600;

  /** What the API server fills in: 0644. */
  private static final int DEFAULT_MODE = 420;

  static GateVolumes of(Pod pod) {
    var present = new HashMap<String, JsonObject>();
    pod.volumes().forEach(it -> present.put(it.text("name").orElse(""), it.json()));
    var missing = new ArrayList<JsonObject>();
    var token = place(TOKEN, GateVolumes::token, present, missing);
    var marker = place(MARKER, GateVolumes::marker, present, missing);
    return new GateVolumes(token, marker, List.copyOf(missing));
  }

  private static String place(
      String name,
      Function<String, JsonObject> content,
      Map<String, JsonObject> present,
      List<JsonObject> missing) {
    for (var i = 1; ; i++) {
      var candidate = i == 1 ? name : name + "-" + i;
      var wanted = content.apply(candidate);
      var found = present.get(candidate);
      if (found == null) {
        missing.add(wanted);
        return candidate;
      }
      if (withoutDefaults(found).equals(wanted)) {
        return candidate;
      }
    }
  }

  private static JsonObject token(String name) {
    var source =
        JSON.createObjectBuilder()
            .add(
                "serviceAccountToken",
                JSON.createObjectBuilder()
                    .add("audience", Vocabulary.AUDIENCE)
                    .add("expirationSeconds", TOKEN_LIFETIME)
                    .add("path", "token"));
    return JSON.createObjectBuilder()
        .add("name", name)
        .add(
            "projected",
            JSON.createObjectBuilder().add("sources", JSON.createArrayBuilder().add(source)))
        .build();
  }

  private static JsonObject marker(String name) {
    return JSON.createObjectBuilder()
        .add("name", name)
        .add("emptyDir", JsonObject.EMPTY_JSON_OBJECT)
        .build();
  }

  private static JsonObject withoutDefaults(JsonObject volume) {
    if (volume.get("projected") instanceof JsonObject projected
        && JSON.createValue(DEFAULT_MODE).equals(projected.get("defaultMode"))) {
      var plain = JSON.createObjectBuilder(projected).remove("defaultMode");
      return JSON.createObjectBuilder(volume).add("projected", plain).build();
    }
    return volume;
  }
}
