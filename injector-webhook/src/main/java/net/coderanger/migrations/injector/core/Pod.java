package net.coderanger.migrations.injector.core;

import module java.base;

import jakarta.json.JsonObject;
import net.coderanger.migrations.api.Vocabulary;

/** A pod as the API server sends it: raw JSON, of which we know these few things. */
record Pod(Raw root) {
  /** Set by kubelet on the image of a static pod in the API. */
  private static final String MIRROR = "kubernetes.io/config.mirror";

  private static final String WINDOWS = "windows";

  /**
   * @throws MalformedReview when there is no spec
   */
  static Pod of(JsonObject json) {
    var root = new Raw(json);
    if (root.value("spec").isEmpty()) {
      throw new MalformedReview("the pod has no spec");
    }
    return new Pod(root);
  }

  Map<String, String> labels() {
    return metadata().texts("labels");
  }

  boolean isMirror() {
    return metadata().object("annotations").value(MIRROR).isPresent();
  }

  boolean isRequired() {
    return isAnnotated(Vocabulary.REQUIRED);
  }

  boolean isNoWait() {
    return isAnnotated(Vocabulary.NO_WAIT);
  }

  private boolean isAnnotated(String annotation) {
    return metadata()
        .object("annotations")
        .text(annotation)
        .filter(Boolean.TRUE.toString()::equals)
        .isPresent();
  }

  boolean isWindows() {
    return Stream.of(
            spec().object("os").text("name"),
            spec().object("nodeSelector").text("kubernetes.io/os"))
        .flatMap(Optional::stream)
        .anyMatch(WINDOWS::equals);
  }

  /**
   * Whether a cluster name such as a Service's cannot be counted on to resolve: hostNetwork with
   * ClusterFirst falls back to the node's resolver, as dnsPolicy Default says at once; with None
   * only the pod's author knows.
   */
  boolean resolvesByItself() {
    var policy = spec().text("dnsPolicy").orElse("ClusterFirst");
    var hostNetwork = spec().value("hostNetwork").filter(it -> it == JsonObject.TRUE).isPresent();
    return hostNetwork || Set.of("Default", "None").contains(policy);
  }

  /** Whether the pod as a whole has requests or limits: a container's must then fit into them. */
  boolean hasResources() {
    return !spec().object("resources").json().isEmpty();
  }

  List<Raw> initContainers() {
    return spec().objects("initContainers");
  }

  List<Raw> containers() {
    return spec().objects("containers");
  }

  List<Raw> volumes() {
    return spec().objects("volumes");
  }

  /** For messages; a pod that a controller makes has no name yet. */
  String displayName() {
    return metadata()
        .text("name")
        .or(() -> metadata().text("generateName").map(it -> it + "*"))
        .orElse("?");
  }

  private Raw metadata() {
    return root.object("metadata");
  }

  private Raw spec() {
    return root.object("spec");
  }
}
