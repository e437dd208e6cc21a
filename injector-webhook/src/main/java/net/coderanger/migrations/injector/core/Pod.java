package net.coderanger.migrations.injector.core;

import module java.base;

import io.kubernetes.client.custom.Quantity;
import io.kubernetes.client.custom.QuantityFormatException;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
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

  /**
   * The CPU of the first container where the pod's class is Guaranteed, empty otherwise: every
   * container has limits of CPU and memory, and requests that are absent or the same. Source:
   * https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
   */
  Optional<String> guaranteedCpu() {
    var all = Stream.concat(containers().stream(), initContainers().stream());
    return all.allMatch(Pod::isGuaranteed) && !containers().isEmpty()
        ? containers().getFirst().object("resources").object("limits").value("cpu").map(Pod::text)
        : Optional.empty();
  }

  private static boolean isGuaranteed(Raw container) {
    if (container.text("name").filter(it -> it.startsWith(Vocabulary.WAITER_PREFIX)).isPresent()) {
      return true; // a waiter follows the pod
    }
    var limits = container.object("resources").object("limits");
    var requests = container.object("resources").object("requests");
    return Stream.of("cpu", "memory")
        .allMatch(
            resource ->
                limits.value(resource).isPresent()
                    && requests
                        .value(resource)
                        .or(() -> limits.value(resource))
                        .equals(limits.value(resource)));
  }

  /**
   * The least that a container of the pod asks for; empty when one of them asks for nothing. Where
   * requests are absent the limits count, as the API server defaults them.
   */
  Optional<String> leastRequest(String resource) {
    var requests =
        containers().stream()
            .map(container -> container.object("resources"))
            .map(
                resources ->
                    resources
                        .object("requests")
                        .value(resource)
                        .or(() -> resources.object("limits").value(resource))
                        .map(Pod::text))
            .toList();
    return requests.stream().allMatch(Optional::isPresent)
        ? requests.stream().flatMap(Optional::stream).min(Comparator.comparing(Pod::amount))
        : Optional.empty();
  }

  /** What a quantity amounts to; nothing for one that is none, which the API server refuses. */
  static BigDecimal amount(String quantity) {
    try {
      return Quantity.fromString(quantity).getNumber();
    } catch (QuantityFormatException _) {
      return BigDecimal.ZERO;
    }
  }

  /** A quantity may be written as a number. */
  private static String text(JsonValue quantity) {
    return quantity instanceof JsonString string ? string.getString() : quantity.toString();
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
