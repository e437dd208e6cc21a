package net.coderanger.migrations.controller.shell;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.JSON;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import net.coderanger.migrations.controller.core.PodView;
import net.coderanger.migrations.controller.core.Template;

/**
 * Finds the template that a pod was made from: that of its immediate controller. A live 403, 404 or
 * other uid ends the search and the pod's own spec serves; any other fault does not.
 */
final class Templates {
  private static final String DEPLOYMENT_REVISION = "deployment.kubernetes.io/revision";
  private static final String ROLLOUT_REVISION = "rollout.argoproj.io/revision";
  private static final String REVISION_HASH = "controller-revision-hash";

  private final Api api;
  private final Caches caches;
  private final Map<String, Template> byPod = new ConcurrentHashMap<>();
  private final Map<String, Optional<String>> plurals = new ConcurrentHashMap<>();

  Templates(Api api, Caches caches) {
    this.api = api;
    this.caches = caches;
    caches.onPodGone(byPod::remove);
  }

  /**
   * The template of a pod.
   *
   * @throws ApiException when the API server cannot say; the caller tries again later
   */
  Template of(String namespace, PodView pod) throws ApiException {
    var controller = pod.controller();
    if (controller.isPresent() && controller.get().kind().equals("ReplicaSet")) {
      // Not remembered: a roll-back gives an old ReplicaSet a new revision.
      var replicaSet =
          caches
              .replicaSet(namespace, controller.get().name())
              .filter(found -> found.metadata.getUid().equals(controller.get().uid()))
              .filter(found -> found.spec != null && found.spec.template != null);
      if (replicaSet.isPresent()) {
        return template(
            controller.get(), replicaSet.get().metadata, replicaSet.get().spec.template);
      }
    }
    var known = byPod.get(pod.uid());
    if (known == null) {
      known = look(namespace, pod);
      byPod.put(pod.uid(), known);
    }
    return known;
  }

  private Template look(String namespace, PodView pod) throws ApiException {
    if (pod.controller().isPresent()) {
      var owner = pod.controller().get();
      var found = find(namespace, owner);
      if (found.isPresent()) {
        var meta = JSON.getGson().fromJson(found.get().get("metadata"), V1ObjectMeta.class);
        var revision = revision(namespace, owner, pod);
        var template = child(child(found, "spec"), "template");
        if (revision.isPresent()) {
          return revisionTemplate(owner, meta, revision.get())
              .withEmptyClaims(claimTemplates(found.get()));
        }
        if (child(template, "spec").isPresent()) {
          return template(owner, meta, template.get()).withEmptyClaims(claimTemplates(found.get()));
        }
      }
    }
    return ownSpec(namespace, pod);
  }

  private static JsonArray claimTemplates(JsonObject controller) {
    return child(Optional.of(controller), "spec")
        .map(spec -> spec.get("volumeClaimTemplates"))
        .filter(JsonElement::isJsonArray)
        .map(JsonElement::getAsJsonArray)
        .orElseGet(JsonArray::new);
  }

  private Template ownSpec(String namespace, PodView pod) throws ApiException {
    var live = api.get(Paths.pod(namespace, pod.name()));
    var self = new PodView.Owner("v1", "Pod", pod.name(), pod.uid());
    return new Template("Pod", pod.name(), pod.uid(), pod.uid(), self, 0, pod.created(), live);
  }

  private Optional<JsonObject> find(String namespace, PodView.Owner owner) throws ApiException {
    var plural = plural(owner);
    if (plural.isEmpty()) {
      return Optional.empty();
    }
    return allowed(Paths.object(owner.apiVersion(), plural.get(), namespace, owner.name()))
        .filter(
            found ->
                found.getAsJsonObject("metadata").get("uid").getAsString().equals(owner.uid()));
  }

  private Optional<JsonObject> allowed(String path) throws ApiException {
    try {
      return api.find(path);
    } catch (ApiException e) {
      if (e.getCode() == 403) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** The ControllerRevision that a StatefulSet's or DaemonSet's pod was made from. */
  private Optional<JsonObject> revision(String namespace, PodView.Owner owner, PodView pod)
      throws ApiException {
    var hash = pod.labels().get(REVISION_HASH);
    var name =
        switch (owner.kind()) {
          // The label holds the revision's name for the one, only its hash for the other.
          case "StatefulSet" -> hash;
          case "DaemonSet" -> hash == null ? null : owner.name() + "-" + hash;
          default -> null;
        };
    return name == null
        ? Optional.empty()
        : allowed(Paths.object("apps/v1", "controllerrevisions", namespace, name))
            .filter(
                revision ->
                    child(child(child(Optional.of(revision), "data"), "spec"), "template")
                        .isPresent());
  }

  private static Template revisionTemplate(
      PodView.Owner owner, V1ObjectMeta meta, JsonObject revision) {
    var template =
        child(child(child(Optional.of(revision), "data"), "spec"), "template")
            .orElseThrow()
            .deepCopy();
    template.remove("$patch"); // it is stored as a strategic merge patch
    return new Template(
        owner.kind(),
        owner.name(),
        owner.uid(),
        owner.uid(),
        owner,
        revision.get("revision").getAsLong(),
        Views.instant(meta.getCreationTimestamp()),
        template);
  }

  private static Template template(PodView.Owner owner, V1ObjectMeta meta, JsonObject template) {
    var parent = Views.controller(meta);
    var created = Views.instant(meta.getCreationTimestamp());
    return new Template(
        owner.kind(),
        owner.name(),
        owner.uid(),
        parent.map(PodView.Owner::uid).orElse(owner.uid()),
        parent.orElse(owner),
        revision(meta, created),
        created,
        template);
  }

  /** A Deployment's or Rollout's count; where there is none, the later made is the newer. */
  private static long revision(V1ObjectMeta meta, Instant created) {
    var annotations = Views.orEmpty(meta.getAnnotations());
    for (var annotation : List.of(DEPLOYMENT_REVISION, ROLLOUT_REVISION)) {
      try {
        if (annotations.containsKey(annotation)) {
          return Long.parseLong(annotations.get(annotation));
        }
      } catch (NumberFormatException _) {
        // Not a revision: the time decides.
      }
    }
    return created.getEpochSecond();
  }

  private Optional<String> plural(PodView.Owner owner) throws ApiException {
    var known =
        switch (owner.kind()) {
          case "ReplicaSet" -> "replicasets";
          case "StatefulSet" -> "statefulsets";
          case "DaemonSet" -> "daemonsets";
          case "Job" -> "jobs";
          default -> "";
        };
    if (!known.isEmpty()) {
      return Optional.of(known);
    }
    var kind = owner.apiVersion() + "/" + owner.kind();
    var plural = plurals.get(kind);
    if (plural == null) {
      plural = discover(owner);
      if (plural.isPresent()) { // a kind may be installed later
        plurals.put(kind, plural);
      }
    }
    return plural;
  }

  private Optional<String> discover(PodView.Owner owner) throws ApiException {
    var resources = allowed(Paths.resources(owner.apiVersion()));
    if (resources.isEmpty()) {
      return Optional.empty();
    }
    for (var element : resources.get().getAsJsonArray("resources")) {
      var resource = element.getAsJsonObject();
      var name = resource.get("name").getAsString();
      if (resource.get("kind").getAsString().equals(owner.kind()) && !name.contains("/")) {
        return Optional.of(name);
      }
    }
    return Optional.empty();
  }

  private static Optional<JsonObject> child(Optional<JsonObject> parent, String name) {
    return parent
        .map(object -> object.get(name))
        .filter(JsonElement::isJsonObject)
        .map(JsonElement::getAsJsonObject);
  }
}
