package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.Pair;
import io.kubernetes.client.util.KubeConfig;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Scratch;
import net.coderanger.migrations.api.Vocabulary;

/**
 * A namespace of a real API server whose controllers and kubelet the test plays: it makes the
 * ReplicaSets, the pods, the pods of Jobs, and their states.
 */
final class Cluster {
  private final ApiClient client;
  final String namespace;

  Cluster(KubeApi kube, String namespace) throws ApiException {
    client = kube.client();
    this.namespace = namespace;
    call("POST", "/api/v1/namespaces", "{\"metadata\":{\"name\":\"%s\"}}".formatted(namespace));
    // No controller manager makes it here.
    call(
        "POST",
        "/api/v1/namespaces/%s/serviceaccounts".formatted(namespace),
        "{\"metadata\":{\"name\":\"default\"}}");
  }

  JsonObject migrator(String name, String spec) throws ApiException {
    return call(
        "POST",
        migrators(""),
        """
        {"apiVersion":"%s","kind":"Migrator","metadata":{"name":"%s"},"spec":%s}
        """
            .formatted(Vocabulary.API_VERSION, name, spec));
  }

  JsonObject getMigrator(String name) throws ApiException {
    return call("GET", migrators("/" + name), null);
  }

  /** The Migrator, empty when there is none. */
  Optional<JsonObject> findMigrator(String name) throws ApiException {
    try {
      return Optional.of(getMigrator(name));
    } catch (ApiException e) {
      if (e.getCode() == 404) {
        return Optional.empty();
      }
      throw e;
    }
  }

  void patchMigrator(String name, String mergePatch) throws ApiException {
    call("PATCH", migrators("/" + name), mergePatch);
  }

  /** As the controller writes it. */
  void migratorStatus(String name, String status) throws ApiException {
    call("PATCH", migrators("/" + name + "/status"), "{\"status\":%s}".formatted(status));
  }

  void deleteMigrator(String name) throws ApiException {
    call("DELETE", migrators("/" + name), null);
  }

  private String migrators(String rest) {
    return "/apis/%s/namespaces/%s/migrators%s".formatted(Vocabulary.API_VERSION, namespace, rest);
  }

  /** A ReplicaSet of the Deployment with this uid, with one container "app" of the image. */
  JsonObject replicaSet(String name, String image, int revision) throws ApiException {
    return call(
        "POST",
        "/apis/apps/v1/namespaces/%s/replicasets".formatted(namespace),
        """
        {"metadata":{"name":"%1$s","annotations":{"deployment.kubernetes.io/revision":"%3$d"},
          "ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"shop","uid":"d","controller":true}]},
         "spec":{"replicas":1,"selector":{"matchLabels":{"app":"shop","rs":"%1$s"}},
          "template":{"metadata":{"labels":{"app":"shop","rs":"%1$s"}},
           "spec":{"containers":[{"name":"app","image":"%2$s","env":[{"name":"DB","value":"x"}]}]}}}}
        """
            .formatted(name, image, revision));
  }

  /** A pod of the ReplicaSet that waits in its waiter for the Migrator. */
  JsonObject waitingPod(String name, JsonObject replicaSet, String migrator, String image)
      throws ApiException {
    return waitingPod(
        name, owner("apps/v1", "ReplicaSet", replicaSet), "{}", migrator, "app", image);
  }

  /**
   * A pod of this controller that waits in its waiter for the Migrator.
   *
   * @param owner reference to the controller, empty for a bare pod
   * @param moreLabels a JSON object
   */
  JsonObject waitingPod(
      String name, String owner, String moreLabels, String migrator, String container, String image)
      throws ApiException {
    var labels = JsonParser.parseString(moreLabels).getAsJsonObject();
    labels.addProperty("app", "shop");
    var pod =
        create(
            "v1",
            "pods",
            """
            {"metadata":{"name":"%1$s","labels":%2$s,"ownerReferences":[%3$s]},
             "spec":{"serviceAccountName":"default","initContainers":[{"name":"migrate-wait-%4$s","image":"waiter"}],
              "containers":[{"name":"%5$s","image":"%6$s"}]}}
            """
                .formatted(name, labels, owner, migrator, container, image));
    podStatus(
        name,
        """
        {"phase":"Pending","initContainerStatuses":[{"name":"migrate-wait-%s","image":"w","imageID":"","ready":false,"restartCount":0,
          "state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]}
        """
            .formatted(migrator));
    return pod;
  }

  /** A reference to the object as the controller of another one. */
  static String owner(String apiVersion, String kind, JsonObject object) {
    return owner(
        apiVersion,
        kind,
        name(object),
        object.getAsJsonObject("metadata").get("uid").getAsString());
  }

  static String owner(String apiVersion, String kind, String name, String uid) {
    return """
    {"apiVersion":"%s","kind":"%s","name":"%s","uid":"%s","controller":true}
    """
        .formatted(apiVersion, kind, name, uid);
  }

  /** Creates any object in the namespace. */
  JsonObject create(String apiVersion, String plural, String json) throws ApiException {
    return call("POST", collection(apiVersion, plural), json);
  }

  void delete(String apiVersion, String plural, String name) throws ApiException {
    call("DELETE", collection(apiVersion, plural) + "/" + name, null);
  }

  private String collection(String apiVersion, String plural) {
    return "%s%s/namespaces/%s/%s"
        .formatted(apiVersion.contains("/") ? "/apis/" : "/api/", apiVersion, namespace, plural);
  }

  /** Makes the API server serve a kind of version v1alpha1 with any spec. */
  void kind(String group, String plural, String kind) throws ApiException {
    call(
        "POST",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        """
        {"metadata":{"name":"%1$s.%3$s"},"spec":{"group":"%3$s","scope":"Namespaced","names":{"plural":"%1$s","kind":"%2$s"},
         "versions":[{"name":"v1alpha1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
          "properties":{"spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}]}}
        """
            .formatted(plural, kind, group));
    await()
        .ignoreExceptions()
        .until(() -> call("GET", collection(group + "/v1alpha1", plural), null) != null);
  }

  /** At once, as the kubelet ends it. */
  void deletePod(String name) throws ApiException {
    call(
        "DELETE",
        "/api/v1/namespaces/%s/pods/%s".formatted(namespace, name),
        "{\"gracePeriodSeconds\":0}");
  }

  void podStatus(String name, String status) throws ApiException {
    call(
        "PATCH",
        "/api/v1/namespaces/%s/pods/%s/status".formatted(namespace, name),
        "{\"status\":%s}".formatted(status));
  }

  /** The one Job that may begin, as soon as there is one that is not among these. */
  JsonObject newJob(String... known) {
    return await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> {
              collectGarbage();
              return jobs().asList().stream()
                  .map(job -> job.getAsJsonObject())
                  .filter(job -> !job.getAsJsonObject("spec").get("suspend").getAsBoolean())
                  .filter(job -> !List.of(known).contains(name(job)))
                  .findFirst();
            },
            Optional::isPresent)
        .get();
  }

  /** Ends foreground deletions of Jobs that have no pods, as the garbage collector would. */
  void collectGarbage() throws ApiException {
    for (var job : jobs()) {
      collectIfGarbage(job.getAsJsonObject());
    }
  }

  void collectIfGarbage(JsonObject job) throws ApiException {
    if (job.getAsJsonObject("metadata").has("deletionTimestamp") && podsOf(name(job)).isEmpty()) {
      call(
          "PATCH",
          collection("batch/v1", "jobs") + "/" + name(job),
          "{\"metadata\":{\"finalizers\":[]}}");
    }
  }

  private JsonArray podsOf(String job) throws ApiException {
    return call(
            "GET",
            collection("v1", "pods") + "?labelSelector=batch.kubernetes.io/job-name=" + job,
            null)
        .getAsJsonArray("items");
  }

  JsonArray jobs() throws ApiException {
    return call("GET", "/apis/batch/v1/namespaces/%s/jobs".formatted(namespace), null)
        .getAsJsonArray("items");
  }

  /** Makes the Job's pod as the Job controller would, and lets its container run. */
  String startPodOf(JsonObject job) throws ApiException {
    var meta = job.getAsJsonObject("metadata");
    var template = job.getAsJsonObject("spec").getAsJsonObject("template").deepCopy();
    var pod = new JsonObject();
    var podMeta = template.getAsJsonObject("metadata");
    var name = name(job) + "-pod";
    podMeta.addProperty("name", name);
    var labels = podMeta.getAsJsonObject("labels");
    labels.addProperty("batch.kubernetes.io/job-name", name(job));
    podMeta.add(
        "ownerReferences",
        JsonParser.parseString(
            """
            [{"apiVersion":"batch/v1","kind":"Job","name":"%s","uid":"%s","controller":true}]
            """
                .formatted(name(job), meta.get("uid").getAsString())));
    pod.add("metadata", podMeta);
    pod.add("spec", template.getAsJsonObject("spec"));
    call("POST", "/api/v1/namespaces/%s/pods".formatted(namespace), pod.toString());
    podStatus(name, status("Running", "\"running\":{\"startedAt\":\"2026-01-01T00:00:00Z\"}"));
    return name;
  }

  void endPod(String pod, int exitCode, String message) throws ApiException {
    var end = new JsonObject();
    end.addProperty("exitCode", exitCode);
    end.addProperty("reason", exitCode == 0 ? "Completed" : "Error");
    end.addProperty("message", message);
    end.addProperty(
        "finishedAt",
        DateTimeFormatter.ISO_INSTANT.format(Instant.now().truncatedTo(ChronoUnit.SECONDS)));
    podStatus(
        pod,
        status(exitCode == 0 ? "Succeeded" : "Failed", "\"running\":null,\"terminated\":" + end));
  }

  /** Says that the Job has ended, as the Job controller would. */
  void endJob(JsonObject job, boolean complete) throws ApiException {
    var now = DateTimeFormatter.ISO_INSTANT.format(Instant.now().truncatedTo(ChronoUnit.SECONDS));
    var condition =
        """
        {"type":"%s","status":"True","lastTransitionTime":"%s"}
        """;
    var conditions =
        complete
            ? condition.formatted("SuccessCriteriaMet", now)
                + ","
                + condition.formatted("Complete", now)
            : condition.formatted("FailureTarget", now) + "," + condition.formatted("Failed", now);
    call(
        "PATCH",
        collection("batch/v1", "jobs") + "/" + name(job) + "/status",
        """
        {"status":{"startTime":"%1$s",%2$s"conditions":[%3$s]}}
        """
            .formatted(
                now,
                complete
                    ? "\"completionTime\":\"%s\",\"succeeded\":1,".formatted(now)
                    : "\"failed\":1,",
                conditions));
  }

  /** Names of the pods whose migration runs. */
  List<String> runningMigrations() throws ApiException {
    return call("GET", collection("v1", "pods") + "?labelSelector=" + Vocabulary.RUN_LABEL, null)
        .getAsJsonArray("items")
        .asList()
        .stream()
        .map(pod -> pod.getAsJsonObject())
        .filter(pod -> pod.getAsJsonObject("status").get("phase").getAsString().equals("Running"))
        .map(Cluster::name)
        .toList();
  }

  private static String status(String phase, String state) {
    return """
    {"phase":"%s","containerStatuses":[{"name":"migrations","image":"i","imageID":"","ready":false,"restartCount":0,
      "state":{%s}}]}
    """
        .formatted(phase, state);
  }

  /** A token for a pod, bound to it. */
  String token(JsonObject pod, String audience) throws ApiException {
    var meta = pod.getAsJsonObject("metadata");
    return call(
            "POST",
            "/api/v1/namespaces/%s/serviceaccounts/default/token".formatted(namespace),
            """
            {"spec":{"audiences":["%s"],"expirationSeconds":600,
              "boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"%s","uid":"%s"}}}
            """
                .formatted(audience, meta.get("name").getAsString(), meta.get("uid").getAsString()))
        .getAsJsonObject("status")
        .get("token")
        .getAsString();
  }

  /** A kubeconfig with the rights of a ServiceAccount of this namespace. */
  Path kubeconfig(KubeApi kube, String serviceAccount) throws ApiException, IOException {
    var token =
        call(
                "POST",
                "/api/v1/namespaces/%s/serviceaccounts/%s/token"
                    .formatted(namespace, serviceAccount),
                "{\"spec\":{\"expirationSeconds\":3600}}")
            .getAsJsonObject("status")
            .get("token")
            .getAsString();
    var admin = KubeConfig.loadKubeConfig(new StringReader(kube.kubeconfig()));
    return Files.writeString(
        Scratch.file("kubeconfig", ""),
        """
        apiVersion: v1
        kind: Config
        clusters: [{name: c, cluster: {server: "%s", certificate-authority: "%s"}}]
        users: [{name: u, user: {token: "%s"}}]
        contexts: [{name: x, context: {cluster: c, user: u}}]
        current-context: x
        """
            .formatted(admin.getServer(), admin.getCertificateAuthorityFile(), token));
  }

  JsonArray events(String kind) throws ApiException {
    return call(
            "GET",
            "/api/v1/namespaces/%s/events?fieldSelector=involvedObject.kind=%s"
                .formatted(namespace, kind),
            null)
        .getAsJsonArray("items");
  }

  static String uid(JsonObject object) {
    return object.getAsJsonObject("metadata").get("uid").getAsString();
  }

  static String name(JsonObject object) {
    return object.getAsJsonObject("metadata").get("name").getAsString();
  }

  /** Reason of the Migrator's Ready condition, empty while there is none. */
  String reason(String migrator) throws ApiException {
    return reason(getMigrator(migrator));
  }

  static String reason(JsonObject migrator) {
    return ready(migrator).map(condition -> condition.get("reason").getAsString()).orElse("");
  }

  Optional<JsonObject> ready(String migrator) throws ApiException {
    return ready(getMigrator(migrator));
  }

  private static Optional<JsonObject> ready(JsonObject migrator) {
    var status = migrator.getAsJsonObject("status");
    if (status == null || !status.has("conditions")) {
      return Optional.empty();
    }
    return status.getAsJsonArray("conditions").asList().stream()
        .map(condition -> condition.getAsJsonObject())
        .filter(condition -> condition.get("type").getAsString().equals("Ready"))
        .findFirst();
  }

  JsonObject call(String verb, String path, String body) throws ApiException {
    var type =
        verb.equals("PATCH")
            ? path.startsWith("/api/v1/")
                ? "application/strategic-merge-patch+json"
                : "application/merge-patch+json"
            : "application/json";
    var call =
        client.buildCall(
            null,
            path,
            verb,
            List.<Pair>of(),
            List.of(),
            body == null ? null : JsonParser.parseString(body),
            new HashMap<>(Map.of("Accept", "application/json", "Content-Type", type)),
            new HashMap<>(),
            new HashMap<>(),
            new String[] {"BearerToken"},
            null);
    return client.<JsonObject>execute(call, JsonObject.class).getData();
  }
}
