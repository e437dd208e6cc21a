package net.coderanger.migrations.injector.core;

import static net.coderanger.migrations.injector.core.Raw.JSON;

import module java.base;

import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonValue;
import net.coderanger.migrations.api.Names;
import net.coderanger.migrations.api.Vocabulary;

/** The init container that waits for one Migrator, as it must stand in the pod. */
record WaiterContainer(JsonObject json) {
  /**
   * What others may set or change on our container without making it another one: the API server's
   * defaults, limit ranges, mirrors (the image is compared by itself), platform policies.
   */
  private static final Set<String> TOLERATED =
      Set.of(
          "image",
          "imagePullPolicy",
          "resources",
          "securityContext",
          "terminationMessagePath",
          "terminationMessagePolicy");

  static WaiterContainer of(
      String migrator, Pod pod, GateVolumes volumes, WaiterSettings settings, Gate gate) {
    var container =
        JSON.createObjectBuilder()
            .add("name", Names.waiter(migrator))
            .add("image", settings.image())
            .add("env", environment(migrator, pod, settings, gate))
            .add(
                "volumeMounts",
                JSON.createArrayBuilder()
                    .add(
                        mount(volumes.token(), Vocabulary.TOKEN_DIRECTORY)
                            .add("readOnly", JsonValue.TRUE))
                    .add(mount(volumes.marker(), Vocabulary.MARKER_DIRECTORY)))
            .add("securityContext", securityContext(settings))
            .add("terminationMessagePolicy", "FallbackToLogsOnError");
    if (!pod.hasResources()) {
      container.add("resources", resources(pod, settings));
    }
    return new WaiterContainer(container.build());
  }

  String name() {
    return json.getString("name");
  }

  /**
   * Whether a container is this one, though it may have been given defaults, another registry or
   * resources. Anything that decides what runs and how the pod waits for it must be equal.
   */
  boolean isMetBy(JsonObject present) {
    return core(present).equals(core(json))
        && MirroredImage.isSame(
            new Raw(present).text("image").orElse(""), new Raw(json).text("image").orElse(""))
        && new Raw(present)
            .object("securityContext")
            .json()
            .entrySet()
            .containsAll(json.getJsonObject("securityContext").entrySet());
  }

  private static JsonObject core(JsonObject container) {
    var core = JSON.createObjectBuilder();
    container.forEach(
        (key, value) -> {
          if (!TOLERATED.contains(key) && !isNothing(value)) {
            core.add(key, value);
          }
        });
    return core.build();
  }

  /** Go's encoding omits what is empty, other languages' may not. */
  private static boolean isNothing(JsonValue value) {
    return value == JsonValue.NULL || value instanceof Collection<?> list && list.isEmpty();
  }

  private static JsonValue environment(
      String migrator, Pod pod, WaiterSettings settings, Gate gate) {
    var environment =
        JSON.createArrayBuilder()
            .add(variable("WAITER_MIGRATOR", migrator))
            .add(variable("WAITER_GATE_URL", settings.gateUrl()))
            .add(variable("WAITER_GATE_CA", gate.ca()));
    if (pod.resolvesByItself()) {
      gate.address().ifPresent(it -> environment.add(variable("WAITER_GATE_ADDRESS", it)));
    }
    var uid = JSON.createObjectBuilder().add("apiVersion", "v1").add("fieldPath", "metadata.uid");
    return environment
        .add(
            JSON.createObjectBuilder()
                .add("name", "WAITER_POD_UID")
                .add("valueFrom", JSON.createObjectBuilder().add("fieldRef", uid)))
        .build();
  }

  private static JsonObjectBuilder variable(String name, String value) {
    return JSON.createObjectBuilder().add("name", name).add("value", value);
  }

  private static JsonObjectBuilder mount(String volume, String path) {
    return JSON.createObjectBuilder().add("name", volume).add("mountPath", path);
  }

  /** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
  private static JsonObjectBuilder securityContext(WaiterSettings settings) {
    return JSON.createObjectBuilder()
        .add("runAsNonRoot", JsonValue.TRUE)
        .add("runAsUser", settings.user())
        .add("runAsGroup", settings.group())
        .add("readOnlyRootFilesystem", JsonValue.TRUE)
        .add("allowPrivilegeEscalation", JsonValue.FALSE)
        .add(
            "capabilities",
            JSON.createObjectBuilder().add("drop", JSON.createArrayBuilder().add("ALL")))
        .add("seccompProfile", JSON.createObjectBuilder().add("type", "RuntimeDefault"));
  }

  /**
   * In a pod of class Guaranteed requests must equal limits, or the pod would lose its class. Where
   * a LimitRange sets a minimum, every container asks for as much; what the least of them asks for
   * costs the pod nothing, as init containers run before the others.
   */
  private static JsonObjectBuilder resources(Pod pod, WaiterSettings settings) {
    var whole = pod.guaranteedCpu();
    var request = whole.orElse(atLeast(pod.leastRequest("cpu"), settings.cpuRequest()));
    var limit = whole.orElse(atLeast(Optional.of(request), settings.cpuLimit()));
    var memory = atLeast(pod.leastRequest("memory"), settings.memory());
    return JSON.createObjectBuilder()
        .add("requests", amount(request, memory))
        .add("limits", amount(limit, memory));
  }

  private static String atLeast(Optional<String> least, String configured) {
    return least
        .filter(quantity -> Pod.amount(quantity).compareTo(Pod.amount(configured)) > 0)
        .orElse(configured);
  }

  private static JsonObjectBuilder amount(String cpu, String memory) {
    return JSON.createObjectBuilder().add("cpu", cpu).add("memory", memory);
  }
}
