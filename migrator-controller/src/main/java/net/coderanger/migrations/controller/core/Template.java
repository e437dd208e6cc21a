package net.coderanger.migrations.controller.core;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;

/**
 * A pod template that a migration can be made from.
 *
 * @param kind of the object that it was found in: the pod's immediate controller, or Pod
 * @param name of that object
 * @param uid of that object
 * @param group uid of the object whose revisions are compared: the Deployment of a ReplicaSet, else
 *     the object itself
 * @param workload what people know it by: the Deployment of a ReplicaSet, else the object itself
 * @param revision order among the group's templates; the greatest is the newest
 * @param created when that object was made
 * @param template the raw template with metadata and spec, so that fields which our client library
 *     does not know survive
 * @param emptied names of the volumes that stand for a StatefulSet's claims and are empty
 */
public record Template(
    String kind,
    String name,
    String uid,
    String group,
    PodView.Owner workload,
    long revision,
    Instant created,
    JsonObject template,
    List<String> emptied) {

  /** Without claim templates. */
  public Template(
      String kind,
      String name,
      String uid,
      String group,
      PodView.Owner workload,
      long revision,
      Instant created,
      JsonObject template) {
    this(kind, name, uid, group, workload, revision, created, template, List.of());
  }

  /**
   * The same with an empty volume for each claim template of the StatefulSet, in place of a volume
   * of that name as the StatefulSet controller does it: a claim belongs to one replica, and the
   * migration is none.
   *
   * @param claimTemplates spec.volumeClaimTemplates
   */
  public Template withEmptyClaims(JsonArray claimTemplates) {
    if (claimTemplates.isEmpty()) {
      return this;
    }
    var copy = template.deepCopy();
    var names = Volumes.empty(copy.getAsJsonObject("spec"), claimTemplates);
    return new Template(kind, name, uid, group, workload, revision, created, copy, names);
  }

  /** Kind/name, as status.current.template shows it. */
  public String id() {
    return kind + "/" + name;
  }

  /** Image of each ordinary container by its name, in the template's order. */
  public SequencedMap<String, String> images() {
    var images = new LinkedHashMap<String, String>();
    var spec = template.getAsJsonObject("spec");
    if (spec != null && spec.has("containers")) {
      for (var element : spec.getAsJsonArray("containers")) {
        var container = element.getAsJsonObject();
        images.put(
            container.get("name").getAsString(),
            container.has("image") ? container.get("image").getAsString() : "");
      }
    }
    return images;
  }

  /**
   * Whether a template was no other attempt than this one would be. Jobs and pods have a new name
   * each time they are made, which fixes nothing.
   *
   * @param otherId its {@link #id}; null if that is not known
   * @param otherRevision its revision; null if that is not known
   */
  boolean isAsGoodAs(String otherId, Long otherRevision) {
    if (Set.of("Job", "Pod").contains(kind)) {
      return otherId != null && otherId.startsWith(kind + "/");
    }
    // A StatefulSet keeps its name from revision to revision.
    return id().equals(otherId) && (otherRevision == null || otherRevision == revision);
  }

  /** What people should know of a migration made from this, empty if nothing. */
  String remark() {
    return emptied.isEmpty()
        ? ""
        : "; the volumes of the claim templates of %s are empty for it: %s"
            .formatted(id(), String.join(", ", emptied));
  }

  /** Rank among several templates of one image; the least goes first. */
  int rank() {
    return switch (kind) {
      case "ReplicaSet" -> 0;
      case "StatefulSet" -> 1;
      case "DaemonSet" -> 2;
      case "Job" -> 4;
      case "Pod" -> 5;
      default -> 3;
    };
  }
}
