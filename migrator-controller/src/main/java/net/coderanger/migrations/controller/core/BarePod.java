package net.coderanger.migrations.controller.core;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

/** Takes out of a live pod's spec what admission and the scheduler have put there. */
final class BarePod {
  private static final String TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

  private BarePod() {}

  static void strip(JsonObject spec) {
    // The priority is computed from the class, and the API server refuses one that differs.
    for (var field :
        List.of("nodeName", "priority", "preemptionPolicy", "ephemeralContainers", "overhead")) {
      spec.remove(field);
    }
    var injected = new HashSet<String>();
    for (var list : List.of("containers", "initContainers")) {
      for (var container : elements(spec, list)) {
        dropTokenMounts(container.getAsJsonObject(), injected);
      }
    }
    dropVolumes(spec, injected);
  }

  // As the ServiceAccount admission names them.
  private static void dropTokenMounts(JsonObject container, Set<String> injected) {
    var kept = new JsonArray();
    for (var element : elements(container, "volumeMounts")) {
      var mount = element.getAsJsonObject();
      var volume = mount.get("name").getAsString();
      if (mount.get("mountPath").getAsString().equals(TOKEN_PATH)
          && volume.startsWith("kube-api-access-")) {
        injected.add(volume);
      } else {
        kept.add(mount);
      }
    }
    if (container.has("volumeMounts")) {
      container.add("volumeMounts", kept);
    }
  }

  private static void dropVolumes(JsonObject spec, Set<String> names) {
    var kept = new JsonArray();
    for (var volume : elements(spec, "volumes")) {
      if (!names.contains(volume.getAsJsonObject().get("name").getAsString())) {
        kept.add(volume);
      }
    }
    if (spec.has("volumes")) {
      spec.add("volumes", kept);
    }
  }

  private static Iterable<JsonElement> elements(JsonObject object, String field) {
    return object.has(field) ? object.getAsJsonArray(field) : List.of();
  }
}
