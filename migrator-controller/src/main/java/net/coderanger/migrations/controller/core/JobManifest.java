package net.coderanger.migrations.controller.core;

import module java.base;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import net.coderanger.migrations.api.Names;
import net.coderanger.migrations.api.Vocabulary;

/**
 * Makes the Job of one attempt from a pod template, as raw JSON: fields that our client library
 * does not know must survive.
 */
final class JobManifest {
  private static final Gson GSON = new Gson();

  /** Annotations that keep autoscalers and deschedulers from evicting the migration. */
  private static final Map<String, String> KEEP =
      Map.of(
          "cluster-autoscaler.kubernetes.io/safe-to-evict", "false",
          "karpenter.sh/do-not-disrupt", "true",
          "descheduler.alpha.kubernetes.io/prefer-no-eviction", "true");

  private final Intent intent;
  private final Template template;
  private final String image;
  private final Map<String, String> claimNodes;

  private JobManifest(
      Intent intent, Template template, String image, Map<String, String> claimNodes) {
    this.intent = intent;
    this.template = template;
    this.image = image;
    this.claimNodes = claimNodes;
  }

  /**
   * The Job, suspended.
   *
   * @param image the pods' image that is to be migrated
   * @param serial number of the attempt over all runs; makes the name unique
   * @param claimNodes where the migration must run for the sake of ReadWriteOnce claims
   */
  static JsonObject of(
      Intent intent, Template template, String image, long serial, Map<String, String> claimNodes) {
    return new JobManifest(intent, template, image, claimNodes).job(serial);
  }

  /**
   * Fingerprint of all that the attempt's pod is made of; the same in every process, in which the
   * same members may come in another order.
   */
  static String hash(
      Intent intent, Template template, String image, Map<String, String> claimNodes) {
    return hash(new JobManifest(intent, template, image, claimNodes).podTemplate());
  }

  private static String hash(JsonObject podTemplate) {
    return Names.hash(sorted(podTemplate).toString());
  }

  private static JsonElement sorted(JsonElement json) {
    if (json.isJsonObject()) {
      var members = new JsonObject();
      new TreeMap<>(json.getAsJsonObject().asMap())
          .forEach((name, member) -> members.add(name, sorted(member)));
      return members;
    }
    if (json.isJsonArray()) {
      var elements = new JsonArray();
      json.getAsJsonArray().forEach(element -> elements.add(sorted(element)));
      return elements;
    }
    return json;
  }

  /** The name of the Job of an attempt. */
  static String name(Intent intent, String image, long serial) {
    return Names.job(
        intent.name(), intent.uid(), image, intent.migrationImage(image), String.valueOf(serial));
  }

  private JsonObject job(long serial) {
    var podTemplate = podTemplate();
    var metadata = new JsonObject();
    metadata.addProperty("name", name(intent, image, serial));
    metadata.addProperty("namespace", intent.namespace());
    metadata.add("labels", runLabels(new JsonObject()));
    metadata.add("annotations", runAnnotations(serial, podTemplate));
    metadata.add("ownerReferences", owner());

    var spec = new JsonObject();
    spec.addProperty("suspend", true);
    spec.addProperty("parallelism", 1);
    spec.addProperty("completions", 1);
    // Retries are ours: one Job per attempt.
    spec.addProperty("backoffLimit", 0);
    spec.addProperty("podReplacementPolicy", "Failed");
    spec.add("template", podTemplate);

    var job = new JsonObject();
    job.addProperty("apiVersion", "batch/v1");
    job.addProperty("kind", "Job");
    job.add("metadata", metadata);
    job.add("spec", spec);
    return job;
  }

  private JsonArray owner() {
    var owner = new JsonObject();
    owner.addProperty("apiVersion", Vocabulary.API_VERSION);
    owner.addProperty("kind", Vocabulary.KIND);
    owner.addProperty("name", intent.name());
    owner.addProperty("uid", intent.uid());
    owner.addProperty("controller", true);
    owner.addProperty("blockOwnerDeletion", true);
    var owners = new JsonArray();
    owners.add(owner);
    return owners;
  }

  private JsonObject runLabels(JsonObject labels) {
    labels.addProperty(Vocabulary.ORIGINAL_LABEL, Names.label(intent.name()));
    labels.addProperty(Vocabulary.RUN_LABEL, Names.label(intent.name()));
    labels.addProperty("app.kubernetes.io/managed-by", "migrations-operator");
    return labels;
  }

  private JsonObject runAnnotations(long serial, JsonObject podTemplate) {
    var annotations = new JsonObject();
    annotations.addProperty(Vocabulary.MIGRATOR_ANNOTATION, intent.name());
    annotations.addProperty(Vocabulary.IMAGE_ANNOTATION, image);
    annotations.addProperty(JobView.MIGRATION_IMAGE, intent.migrationImage(image));
    annotations.addProperty(JobView.SERIAL, String.valueOf(serial));
    annotations.addProperty(JobView.TEMPLATE, template.id());
    annotations.addProperty(JobView.SPEC_HASH, intent.specHash());
    annotations.addProperty(JobView.TEMPLATE_HASH, hash(podTemplate));
    return annotations;
  }

  private JsonObject podTemplate() {
    var labels = new JsonObject();
    orEmpty(intent.spec().getLabels()).forEach(labels::addProperty);
    runLabels(labels);
    var annotations = new JsonObject();
    KEEP.forEach(annotations::addProperty);
    orEmpty(intent.spec().getAnnotations()).forEach(annotations::addProperty);
    annotations.addProperty(Vocabulary.NO_WAIT, "true");
    annotations.addProperty(Vocabulary.MIGRATOR_ANNOTATION, intent.name());
    annotations.addProperty(Vocabulary.IMAGE_ANNOTATION, image);
    var metadata = new JsonObject();
    metadata.add("labels", labels);
    metadata.add("annotations", annotations);
    var result = new JsonObject();
    result.add("metadata", metadata);
    result.add("spec", podSpec());
    return result;
  }

  private JsonObject podSpec() {
    var spec = template.template().getAsJsonObject("spec").deepCopy();
    if (template.kind().equals("Pod")) {
      BarePod.strip(spec);
    }
    var initContainers = new JsonArray();
    for (var element : array(spec, "initContainers")) {
      var container = element.getAsJsonObject();
      if (!name(container).startsWith(Vocabulary.WAITER_PREFIX)) {
        tellTheEndOfItsLog(container);
        dropHostPorts(spec, container);
        if (name(container).equals(Vocabulary.MIGRATION_CONTAINER)) {
          container.addProperty("name", "init-" + Vocabulary.MIGRATION_CONTAINER);
        }
        initContainers.add(container);
      }
    }
    spec.remove("initContainers");
    if (!initContainers.isEmpty()) {
      spec.add("initContainers", initContainers);
    }
    var container = container(spec);
    var containers = new JsonArray();
    containers.add(container);
    spec.add("containers", containers);
    spec.addProperty("restartPolicy", "Never");
    dropWhatHindersRunningBesideTheWaitingPod(spec);
    keepOutOfServices(spec);
    if (intent.spec().getServiceAccountName() != null) {
      spec.addProperty("serviceAccountName", intent.spec().getServiceAccountName());
      spec.remove("serviceAccount"); // the deprecated alias must not differ
    }
    // As the pod's deadline, not the Job's: that deletes the pod, its message and its log.
    spec.remove("activeDeadlineSeconds");
    if (intent.spec().getActiveDeadlineSeconds() != null) {
      spec.addProperty("activeDeadlineSeconds", intent.spec().getActiveDeadlineSeconds());
    }
    Volumes.keepMounted(spec);
    Volumes.claims(spec).stream()
        .filter(claimNodes::containsKey)
        .findFirst()
        .ifPresent(claim -> Volumes.pin(spec, claimNodes.get(claim)));
    return spec;
  }

  private static void dropWhatHindersRunningBesideTheWaitingPod(JsonObject spec) {
    spec.remove("topologySpreadConstraints");
    spec.remove("schedulingGates");
    spec.remove("hostname");
    spec.remove("subdomain");
    if (spec.has("affinity")) {
      spec.getAsJsonObject("affinity").remove("podAffinity");
      spec.getAsJsonObject("affinity").remove("podAntiAffinity");
    }
  }

  // In the host's network every port that a container declares becomes a host port.
  private static void dropHostPorts(JsonObject spec, JsonObject container) {
    if (spec.has("hostNetwork") && spec.get("hostNetwork").getAsBoolean()) {
      container.remove("ports");
    }
    for (var port : array(container, "ports")) {
      port.getAsJsonObject().remove("hostPort");
      port.getAsJsonObject().remove("hostIP");
    }
  }

  private static void keepOutOfServices(JsonObject spec) {
    var gate = new JsonObject();
    gate.addProperty("conditionType", Vocabulary.NEVER_READY);
    var gates = new JsonArray();
    gates.add(gate);
    spec.add("readinessGates", gates);
  }

  private JsonObject container(JsonObject podSpec) {
    var containers = array(podSpec, "containers");
    var chosen =
        intent
            .container()
            .map(
                wanted ->
                    StreamSupport.stream(containers.spliterator(), false)
                        .map(JsonElement::getAsJsonObject)
                        .filter(candidate -> name(candidate).equals(wanted))
                        .findFirst()
                        .orElseThrow())
            .orElseGet(() -> containers.get(0).getAsJsonObject());
    var container = chosen.deepCopy();
    container.addProperty("name", Vocabulary.MIGRATION_CONTAINER);
    container.addProperty("image", intent.migrationImage(image));
    for (var dropped :
        List.of(
            "readinessProbe",
            "livenessProbe",
            "startupProbe",
            "lifecycle",
            "ports",
            "resizePolicy",
            "restartPolicy",
            "restartPolicyRules")) {
      container.remove(dropped);
    }
    tellTheEndOfItsLog(container);
    var spec = intent.spec();
    replace(container, "command", spec.getCommand());
    replace(container, "args", spec.getArgs());
    replace(container, "resources", spec.getResources());
    if (spec.getEnv() != null) {
      container.add("env", merged(array(container, "env"), GSON.toJsonTree(spec.getEnv())));
    }
    if (spec.getEnvFrom() != null) {
      var sources = array(container, "envFrom").deepCopy();
      sources.addAll(GSON.toJsonTree(spec.getEnvFrom()).getAsJsonArray());
      container.add("envFrom", sources);
    }
    return container;
  }

  /** Without a right to read logs, the end of a failed container's log reaches us in its status. */
  private static void tellTheEndOfItsLog(JsonObject container) {
    container.addProperty("terminationMessagePolicy", "FallbackToLogsOnError");
  }

  private static void replace(JsonObject container, String field, Object value) {
    if (value != null) {
      container.add(field, GSON.toJsonTree(value));
    }
  }

  /** The container's variables, those of the same name replaced in place, new ones after them. */
  private static JsonArray merged(JsonArray base, JsonElement overrides) {
    var byName = new LinkedHashMap<String, JsonElement>();
    base.forEach(variable -> byName.put(name(variable.getAsJsonObject()), variable));
    overrides
        .getAsJsonArray()
        .forEach(variable -> byName.put(name(variable.getAsJsonObject()), variable));
    var result = new JsonArray();
    byName.values().forEach(result::add);
    return result;
  }

  private static JsonArray array(JsonObject object, String field) {
    return object.has(field) && object.get(field).isJsonArray()
        ? object.getAsJsonArray(field)
        : new JsonArray();
  }

  private static String name(JsonObject named) {
    return named.has("name") ? named.get("name").getAsString() : "";
  }

  private static Map<String, String> orEmpty(Map<String, String> map) {
    return Objects.requireNonNullElse(map, Map.of());
  }
}
