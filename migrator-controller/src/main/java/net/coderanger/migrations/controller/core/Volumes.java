package net.coderanger.migrations.controller.core;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

/** The volumes of the migration's pod. */
final class Volumes {
  private Volumes() {}

  /** Drops the volumes that no container of the pod mounts: they could keep it from starting. */
  static void keepMounted(JsonObject spec) {
    if (!spec.has("volumes")) {
      return;
    }
    var mounted = new HashSet<String>();
    for (var list : List.of("containers", "initContainers")) {
      for (var container : elements(spec, list)) {
        for (var field : List.of("volumeMounts", "volumeDevices")) {
          for (var mount : elements(container.getAsJsonObject(), field)) {
            mounted.add(mount.getAsJsonObject().get("name").getAsString());
          }
        }
      }
    }
    var kept = new JsonArray();
    for (var volume : elements(spec, "volumes")) {
      if (mounted.contains(volume.getAsJsonObject().get("name").getAsString())) {
        kept.add(volume);
      }
    }
    if (kept.isEmpty()) {
      spec.remove("volumes");
    } else {
      spec.add("volumes", kept);
    }
  }

  /** Puts an empty volume for each claim template; answers their names. */
  static List<String> empty(JsonObject spec, JsonArray claimTemplates) {
    var names = new ArrayList<String>();
    for (var element : claimTemplates) {
      names.add(element.getAsJsonObject().getAsJsonObject("metadata").get("name").getAsString());
    }
    var volumes = new JsonArray();
    for (var volume : elements(spec, "volumes")) {
      if (!names.contains(volume.getAsJsonObject().get("name").getAsString())) {
        volumes.add(volume);
      }
    }
    for (var name : names) {
      var volume = new JsonObject();
      volume.addProperty("name", name);
      volume.add("emptyDir", new JsonObject());
      volumes.add(volume);
    }
    spec.add("volumes", volumes);
    return List.copyOf(names);
  }

  /** Names of the claims that a pod spec uses. */
  static Set<String> claims(JsonObject spec) {
    var claims = new TreeSet<String>();
    for (var volume : elements(spec, "volumes")) {
      var claim = volume.getAsJsonObject().get("persistentVolumeClaim");
      if (claim != null) {
        claims.add(claim.getAsJsonObject().get("claimName").getAsString());
      }
    }
    return claims;
  }

  /**
   * Pins the pod to a node, through the scheduler: spec.nodeName would pass it by and fail the pod
   * where the node has no room.
   */
  static void pin(JsonObject spec, String node) {
    var values = new JsonArray();
    values.add(node);
    var field = new JsonObject();
    field.addProperty("key", "metadata.name");
    field.addProperty("operator", "In");
    field.add("values", values);
    var fields = new JsonArray();
    fields.add(field);

    var affinity = child(spec, "affinity");
    var nodeAffinity = child(affinity, "nodeAffinity");
    var required = child(nodeAffinity, "requiredDuringSchedulingIgnoredDuringExecution");
    var terms =
        required.has("nodeSelectorTerms")
            ? required.getAsJsonArray("nodeSelectorTerms")
            : new JsonArray();
    if (terms.isEmpty()) {
      terms.add(new JsonObject());
    }
    // Terms are alternatives: each must hold the pin.
    for (var term : terms) {
      var own = term.getAsJsonObject();
      var all = own.has("matchFields") ? own.getAsJsonArray("matchFields") : new JsonArray();
      all.addAll(fields);
      own.add("matchFields", all);
    }
    required.add("nodeSelectorTerms", terms);
  }

  private static JsonObject child(JsonObject parent, String name) {
    if (!parent.has(name)) {
      parent.add(name, new JsonObject());
    }
    return parent.getAsJsonObject(name);
  }

  private static Iterable<JsonElement> elements(JsonObject object, String field) {
    return object.has(field) ? object.getAsJsonArray(field) : List.of();
  }
}
