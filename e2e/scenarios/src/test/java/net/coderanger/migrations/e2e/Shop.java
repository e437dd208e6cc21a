package net.coderanger.migrations.e2e;

import static org.awaitility.Awaitility.await;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;

/**
 * A namespace of its own with workloads called "shop" and a Migrator for them. The toolbox image is
 * a busybox, so that a migration is a line of shell.
 */
final class Shop implements AutoCloseable {
  static final Duration SOON = Duration.ofMinutes(2);

  private static final AtomicInteger COUNT = new AtomicInteger();

  final Lab lab;
  final String namespace;

  /** A shop in a namespace that enforces the restricted Pod Security Standard. */
  Shop(Lab lab) throws ApiException {
    this(lab, "restricted");
  }

  /** A shop in a namespace that enforces this Pod Security Standard. */
  Shop(Lab lab, String podSecurity) throws ApiException {
    this.lab = lab;
    namespace =
        "shop-%d-%s".formatted(COUNT.incrementAndGet(), Long.toString(System.nanoTime(), 36));
    lab.create(
        "/api/v1/namespaces",
        "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"pod-security.kubernetes.io/enforce\":\"%s\"}}}"
            .formatted(namespace, podSecurity));
  }

  /** Reference of the toolbox image with this tag. */
  static String image(int tag) {
    return "ghcr.io/coderanger/migrations-operator/toolbox:" + tag;
  }

  /** A line of shell that ends, with success, only once {@link #letMigrationEnd} was called. */
  static final String UNTIL_TOLD = "until test -e /tmp/go; do sleep 0.2; done";

  /** Lets the migration that runs {@link #UNTIL_TOLD} end. */
  void letMigrationEnd() throws ApiException {
    try {
      lab.kubectl(
          "",
          "-n",
          namespace,
          "exec",
          runningMigration(),
          "-c",
          "migrations",
          "--",
          "touch",
          "/tmp/go");
    } catch (IllegalStateException e) {
      // The container may end, and "touch" with it, after the file is there and before "touch" is
      // done. Who calls this awaits the end of the migration, which there is only with the file.
      if (!e.getMessage().contains("exit code 137")) {
        throw e;
      }
    }
  }

  /** Name of the pod whose migration container runs, as soon as there is one. */
  String runningMigration() {
    var name = new AtomicReference<String>();
    awaitThat(
        "a migration runs",
        () -> {
          // one look for both, since the migration may end between two
          migrationPods().stream()
              .filter(Shop::isMigrating)
              .map(Shop::name)
              .findFirst()
              .ifPresent(name::set);
          return name.get() != null;
        });
    return name.get();
  }

  /** Whether the migration container of this pod runs. */
  static boolean isMigrating(JsonObject pod) {
    return statuses(pod, "containerStatuses").stream()
        .anyMatch(status -> status.getAsJsonObject("state").has("running"));
  }

  /** A Migrator "shop" that runs this line of shell, with more fields of its spec. */
  void migrator(String script, String more) throws ApiException {
    lab.create(migratorsPath(), migratorJson(script, more));
  }

  String migratorJson(String script, String more) {
    return """
    {"apiVersion":"migrations.coderanger.net/v1beta1","kind":"Migrator","metadata":{"name":"shop"},
     "spec":{"selector":{"matchLabels":{"app":"shop"}},"command":["sh","-c",%s]%s}}
    """
        .formatted(quoted(script), more.isEmpty() ? "" : "," + more);
  }

  void patchMigrator(String mergePatch) throws ApiException {
    lab.patch(migratorsPath() + "/shop", mergePatch);
  }

  JsonObject migrator() throws ApiException {
    return lab.get(migratorsPath() + "/shop");
  }

  String migratorsPath() {
    return "/apis/migrations.coderanger.net/v1beta1/namespaces/%s/migrators".formatted(namespace);
  }

  /** A Deployment "shop" whose pods demand a Migrator. */
  void deployment(int replicas, String image) throws ApiException {
    deployment("shop", replicas, image);
  }

  void deployment(String name, int replicas, String image) throws ApiException {
    deploymentOf(name, replicas, podTemplate(name, image, ""));
  }

  /** A Deployment of this pod template, which {@link #podTemplate} made for the same name. */
  void deploymentOf(String name, int replicas, String podTemplate) throws ApiException {
    create(
        "apps/v1",
        "deployments",
        """
        {"metadata":{"name":"%1$s"},"spec":{"replicas":%2$d,"selector":{"matchLabels":{"name":"%1$s"}},
         "template":%3$s}}
        """
            .formatted(name, replicas, podTemplate));
  }

  /** A pod template with one container "app" that runs until it is told to end. */
  String podTemplate(String name, String image, String moreOfSpec) {
    return """
    {"metadata":{"labels":{"app":"shop","name":"%s"},"annotations":{"migrations.coderanger.net/required":"true"}},
     "spec":{%s"terminationGracePeriodSeconds":1,
      "securityContext":{"runAsNonRoot":true,"runAsUser":1000,"seccompProfile":{"type":"RuntimeDefault"}},
      "containers":[{"name":"app","image":"%s","imagePullPolicy":"IfNotPresent",
       "command":["sh","-c","trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"],
       "securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}
    """
        .formatted(name, moreOfSpec, image);
  }

  /** A pod of the shop as everybody would admit it; it is not stored. */
  JsonObject dryRun() throws ApiException {
    var template =
        com.google.gson.JsonParser.parseString(
                // Not `required`: a pod that slips past shall be seen, not refused.
                podTemplate("dry", image(1), "").replace("required", "note"))
            .getAsJsonObject();
    template.getAsJsonObject("metadata").addProperty("generateName", "dry-");
    return lab.create(
        "/api/v1/namespaces/%s/pods?dryRun=All".formatted(namespace), template.toString());
  }

  /** Creates any object in this namespace. */
  void create(String apiVersion, String plural, String json) throws ApiException {
    var root = apiVersion.contains("/") ? "/apis/" : "/api/";
    lab.create("%s%s/namespaces/%s/%s".formatted(root, apiVersion, namespace, plural), json);
  }

  void roll(String deployment, String image) throws ApiException {
    lab.patch(
        "/apis/apps/v1/namespaces/%s/deployments/%s".formatted(namespace, deployment),
        "{\"spec\":{\"template\":{\"spec\":{\"containers\":%s}}}}".formatted(containers(image)));
  }

  private String containers(String image) {
    var template = com.google.gson.JsonParser.parseString(podTemplate("x", image, ""));
    return template
        .getAsJsonObject()
        .getAsJsonObject("spec")
        .getAsJsonArray("containers")
        .toString();
  }

  List<JsonObject> pods() throws ApiException {
    return lab.list("/api/v1/namespaces/%s/pods".formatted(namespace)).stream()
        .filter(pod -> !labels(pod).containsKey("migrations.coderanger.net/migrator"))
        .toList();
  }

  List<JsonObject> migrationPods() throws ApiException {
    return lab.list(
        "/api/v1/namespaces/%s/pods?labelSelector=migrations.coderanger.net/migrator"
            .formatted(namespace));
  }

  List<JsonObject> jobs() throws ApiException {
    return lab.list(
        "/apis/batch/v1/namespaces/%s/jobs?labelSelector=migrations.coderanger.net/migrator"
            .formatted(namespace));
  }

  List<JsonObject> migratorsAndJobs() throws ApiException {
    return Stream.concat(lab.list(migratorsPath()).stream(), jobs().stream()).toList();
  }

  List<JsonObject> events(String kind) throws ApiException {
    return lab.list(
        "/api/v1/namespaces/%s/events?fieldSelector=involvedObject.kind=%s"
            .formatted(namespace, kind));
  }

  /** Waits until so many pods run this image, ready. */
  void awaitRunning(int count, String image) {
    awaitThat(
        "%d pods run %s".formatted(count, image),
        () -> pods().stream().filter(pod -> runs(pod, image)).count() == count);
  }

  /** Waits until so many pods of this image wait in their waiter. */
  void awaitWaiting(int count, String image) {
    awaitThat(
        "%d pods of %s wait".formatted(count, image),
        () ->
            pods().stream().filter(pod -> image(pod).equals(image)).filter(Shop::isInWaiter).count()
                == count);
  }

  /** Waits until the Ready condition has this reason; answers its message. */
  String awaitReason(String reason) {
    awaitThat("the Migrator is " + reason, () -> condition("Ready", "reason").equals(reason));
    try {
      return condition("Ready", "message");
    } catch (ApiException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A member of a condition of the Migrator, empty while there is none. */
  String condition(String type, String member) throws ApiException {
    var status = migrator().getAsJsonObject("status");
    if (status == null || !status.has("conditions")) {
      return "";
    }
    return status.getAsJsonArray("conditions").asList().stream()
        .map(JsonElement::getAsJsonObject)
        .filter(condition -> condition.get("type").getAsString().equals(type))
        .map(condition -> condition.get(member).getAsString())
        .findFirst()
        .orElse("");
  }

  /** Waits, and says how everything stands when it takes too long. */
  void awaitThat(String what, Callable<Boolean> condition) {
    try {
      await(what).atMost(SOON).pollInterval(Duration.ofMillis(200)).until(condition);
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      throw new AssertionError(what + " was not seen.\n" + describe(), e);
    }
  }

  /** How everything stands, as a person would look. */
  String describe() {
    return lab.kubectl("", "-n", namespace, "get", "migrators,pods,jobs", "-o", "wide")
        + lab.kubectl("", "-n", namespace, "describe", "migrators")
        + lab.kubectl("", "-n", namespace, "get", "events", "--sort-by=.lastTimestamp")
        + logOfTheController();
  }

  private String logOfTheController() {
    try {
      return lab.kubectl(
          "",
          "-n",
          "migrations-operator",
          "logs",
          "-l",
          "app.kubernetes.io/name=migrator-controller",
          "--tail=40");
    } catch (IllegalStateException e) { // none of its containers has started
      return e.getMessage();
    }
  }

  static String name(JsonObject object) {
    return object.getAsJsonObject("metadata").get("name").getAsString();
  }

  static Map<String, JsonElement> labels(JsonObject object) {
    var labels = object.getAsJsonObject("metadata").getAsJsonObject("labels");
    return labels == null ? Map.of() : labels.asMap();
  }

  static String image(JsonObject pod) {
    return pod.getAsJsonObject("spec")
        .getAsJsonArray("containers")
        .get(0)
        .getAsJsonObject()
        .get("image")
        .getAsString();
  }

  static boolean runs(JsonObject pod, String image) {
    return image(pod).equals(image)
        && !pod.getAsJsonObject("metadata").has("deletionTimestamp")
        && !isInWaiter(pod)
        && statuses(pod, "containerStatuses").stream()
            .allMatch(status -> status.getAsJsonObject("state").has("running"))
        && !statuses(pod, "containerStatuses").isEmpty();
  }

  static boolean isInWaiter(JsonObject pod) {
    return statuses(pod, "initContainerStatuses").stream()
        .anyMatch(
            status ->
                status.get("name").getAsString().startsWith("migrate-wait-")
                    && status.getAsJsonObject("state").has("running"));
  }

  static int restarts(JsonObject pod) {
    return Stream.of("initContainerStatuses", "containerStatuses")
        .flatMap(list -> statuses(pod, list).stream())
        .mapToInt(status -> status.get("restartCount").getAsInt())
        .sum();
  }

  static List<JsonObject> statuses(JsonObject pod, String list) {
    var array = pod.getAsJsonObject("status").getAsJsonArray(list);
    return (array == null ? new JsonArray() : array)
        .asList().stream().map(JsonElement::getAsJsonObject).toList();
  }

  static String quoted(String text) {
    return new com.google.gson.JsonPrimitive(text).toString();
  }

  @Override
  public void close() throws ApiException {
    lab.delete("/api/v1/namespaces/" + namespace);
  }
}
