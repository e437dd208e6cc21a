package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.Pair;
import net.coderanger.migrations.api.KubeApi;
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
    var meta = replicaSet.getAsJsonObject("metadata");
    var pod =
        call(
            "POST",
            "/api/v1/namespaces/%s/pods".formatted(namespace),
            """
            {"metadata":{"name":"%1$s","labels":{"app":"shop","rs":"%2$s"},
              "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"%2$s","uid":"%3$s","controller":true}]},
             "spec":{"serviceAccountName":"default","initContainers":[{"name":"migrate-wait-%4$s","image":"waiter"}],
              "containers":[{"name":"app","image":"%5$s"}]}}
            """
                .formatted(
                    name,
                    meta.get("name").getAsString(),
                    meta.get("uid").getAsString(),
                    migrator,
                    image));
    podStatus(
        name,
        """
        {"phase":"Pending","initContainerStatuses":[{"name":"migrate-wait-%s","image":"w","imageID":"","ready":false,"restartCount":0,
          "state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]}
        """
            .formatted(migrator));
    return pod;
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
            () ->
                jobs().asList().stream()
                    .map(job -> job.getAsJsonObject())
                    .filter(job -> !job.getAsJsonObject("spec").get("suspend").getAsBoolean())
                    .filter(job -> !List.of(known).contains(name(job)))
                    .findFirst(),
            Optional::isPresent)
        .get();
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
    return ready(migrator).map(condition -> condition.get("reason").getAsString()).orElse("");
  }

  Optional<JsonObject> ready(String migrator) throws ApiException {
    var status = getMigrator(migrator).getAsJsonObject("status");
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
