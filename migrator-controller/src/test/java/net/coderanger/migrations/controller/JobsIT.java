package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.controller.shell.Api;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The Job that the API server has stored, for a template and a Migrator that use every field. */
@ResourceLock(SharedKube.LEASE)
class JobsIT {
  private static final String SELECTOR = "\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}";

  private static final String WORKLOAD =
      """
      {"metadata":{"name":"shop-a","annotations":{"deployment.kubernetes.io/revision":"1"},
        "ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"shop","uid":"d","controller":true}]},
       "spec":{"replicas":1,"selector":{"matchLabels":{"app":"shop"}},
        "template":{"metadata":{"labels":{"app":"shop","of":"template"},"annotations":{"of":"template"}},"spec":%s}}}
      """;

  private static final String POD_SPEC =
      """
      {"serviceAccountName":"default","restartPolicy":"Always","terminationGracePeriodSeconds":7,
       "nodeSelector":{"disk":"ssd"},"tolerations":[{"key":"a","operator":"Exists"}],
       "schedulerName":"mine","dnsPolicy":"None","dnsConfig":{"nameservers":["10.0.0.1"]},
       "hostname":"h","subdomain":"s","shareProcessNamespace":true,"enableServiceLinks":false,
       "imagePullSecrets":[{"name":"pull"}],"hostAliases":[{"ip":"10.0.0.2","hostnames":["db"]}],
       "securityContext":{"runAsNonRoot":true,"fsGroup":3,"supplementalGroupsPolicy":"Strict"},
       "readinessGates":[{"conditionType":"example.com/theirs"}],
       "topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule"}],
       "affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"preference":{"matchFields":[
          {"key":"metadata.name","operator":"In","values":["n"]}]}}]},
         "podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"zone","labelSelector":{}}]},
         "podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"zone","labelSelector":{}}]}},
       "initContainers":[
        {"name":"setup","image":"setup:1","volumeMounts":[{"name":"shared","mountPath":"/shared"}]},
        {"name":"proxy","image":"proxy:1","restartPolicy":"Always","ports":[{"containerPort":15001,"hostPort":15001}]},
        {"name":"migrate-wait-other","image":"waiter:1"}],
       "containers":[
        {"name":"web","image":"shop:1","workingDir":"/app","imagePullPolicy":"Always","stdin":true,
         "command":["serve"],"args":["--port=1"],"env":[{"name":"A","value":"1"},{"name":"B","value":"2"}],
         "envFrom":[{"secretRef":{"name":"web"}}],"resources":{"limits":{"memory":"1Gi"}},
         "ports":[{"containerPort":80,"hostPort":8080}],
         "readinessProbe":{"httpGet":{"path":"/","port":80}},"livenessProbe":{"httpGet":{"path":"/","port":80}},
         "startupProbe":{"httpGet":{"path":"/","port":80}},
         "lifecycle":{"preStop":{"sleep":{"seconds":1}}},"resizePolicy":[{"resourceName":"cpu","restartPolicy":"NotRequired"}],
         "volumeMounts":[{"name":"shared","mountPath":"/shared"}],
         "securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}},
        {"name":"other","image":"other:1"}],
       "volumes":[{"name":"shared","emptyDir":{}},{"name":"unused","emptyDir":{}}]}
      """;

  private static final String FLEETS = "example.com/v1alpha1";
  private static final String FLEET =
      """
      {"apiVersion":"%s","kind":"Fleet","metadata":{"name":"shop"},"spec":{"template":{
        "spec":{%s"containers":[{"name":"app","image":"shop:1"}]}}}}
      """;

  private static KubeApi kube;
  private static RunningController controller;
  private static JsonObject job;

  @BeforeAll
  static void aJobIsMade() throws Exception {
    kube = SharedKube.get();
    controller = new RunningController(kube, Api.Observer.NONE);
    var cluster = new Cluster(kube, "fields");
    cluster.migrator(
        "shop",
        """
        {%s,"args":["--to=1"],"labels":{"team":"a"},"annotations":{"note":"n"},"activeDeadlineSeconds":600,
         "env":[{"name":"B","value":"3"},{"name":"C","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}],
         "envFrom":[{"configMapRef":{"name":"c"}}],"resources":{"requests":{"cpu":"100m"}},"serviceAccountName":"migrator"}
        """
            .formatted(SELECTOR));
    var replicaSet = cluster.create("apps/v1", "replicasets", WORKLOAD.formatted(POD_SPEC));
    cluster.waitingPod(
        "shop-1",
        Cluster.owner("apps/v1", "ReplicaSet", replicaSet),
        "{}",
        "shop",
        "web",
        "shop:1");
    job = cluster.newJob();
  }

  @AfterAll
  static void stop() {
    controller.close();
  }

  @ParameterizedTest(name = "{0} is {1}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // the Job
        "spec.suspend | false",
        "spec.backoffLimit | 0",
        "spec.parallelism | 1",
        "spec.completions | 1",
        "spec.podReplacementPolicy | \"Failed\"",
        "spec.podFailurePolicy | absent",
        "spec.activeDeadlineSeconds | absent",
        "spec.ttlSecondsAfterFinished | absent",
        "metadata.ownerReferences.0.kind | \"Migrator\"",
        "metadata.ownerReferences.0.controller | true",
        "metadata.ownerReferences.0.blockOwnerDeletion | true",
        // the pod's metadata
        "spec.template.metadata.labels.team | \"a\"",
        "spec.template.metadata.labels.migrations | \"shop\"",
        "spec.template.metadata.labels.app | absent",
        "spec.template.metadata.labels.of | absent",
        "spec.template.metadata.annotations.note | \"n\"",
        "spec.template.metadata.annotations.of | absent",
        // the pod: kept
        "POD.terminationGracePeriodSeconds | 7",
        "POD.nodeSelector | {\"disk\":\"ssd\"}",
        "POD.tolerations | [{\"key\":\"a\",\"operator\":\"Exists\"}]",
        "POD.schedulerName | \"mine\"",
        "POD.dnsPolicy | \"None\"",
        "POD.dnsConfig.nameservers | [\"10.0.0.1\"]",
        "POD.shareProcessNamespace | true",
        "POD.enableServiceLinks | false",
        "POD.imagePullSecrets | [{\"name\":\"pull\"}]",
        "POD.hostAliases.0.ip | \"10.0.0.2\"",
        "POD.securityContext.fsGroup | 3",
        "POD.securityContext.supplementalGroupsPolicy | \"Strict\"",
        "POD.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.weight | 1",
        // the pod: dropped or replaced
        "POD.restartPolicy | \"Never\"",
        "POD.activeDeadlineSeconds | 600",
        "POD.serviceAccountName | \"migrator\"",
        "POD.hostname | absent",
        "POD.subdomain | absent",
        "POD.topologySpreadConstraints | absent",
        "POD.affinity.podAffinity | absent",
        "POD.affinity.podAntiAffinity | absent",
        "POD.readinessGates | [{\"conditionType\":\"migrations.coderanger.net/never-serves\"}]",
        "POD.volumes | [{\"name\":\"shared\",\"emptyDir\":{}}]",
        "POD.containers.1 | absent",
        // init containers
        "POD.initContainers.0.name | \"setup\"",
        "POD.initContainers.0.terminationMessagePolicy | \"FallbackToLogsOnError\"",
        "POD.initContainers.1.name | \"proxy\"",
        "POD.initContainers.1.restartPolicy | \"Always\"",
        "POD.initContainers.1.ports.0.containerPort | 15001",
        "POD.initContainers.1.ports.0.hostPort | absent",
        "POD.initContainers.2 | absent",
        // the migration: kept
        "IT.image | \"shop:1\"",
        "IT.command | [\"serve\"]",
        "IT.workingDir | \"/app\"",
        "IT.imagePullPolicy | \"Always\"",
        "IT.stdin | true",
        "IT.volumeMounts | [{\"name\":\"shared\",\"mountPath\":\"/shared\"}]",
        "IT.securityContext.capabilities.drop | [\"ALL\"]",
        // the migration: dropped or replaced
        "IT.name | \"migrations\"",
        "IT.args | [\"--to=1\"]",
        "IT.env.0 | {\"name\":\"A\",\"value\":\"1\"}",
        "IT.env.1 | {\"name\":\"B\",\"value\":\"3\"}",
        "IT.env.2.valueFrom.secretKeyRef.name | \"s\"",
        "IT.envFrom.0.secretRef.name | \"web\"",
        "IT.envFrom.1.configMapRef.name | \"c\"",
        "IT.resources | {\"requests\":{\"cpu\":\"100m\"}}",
        "IT.terminationMessagePolicy | \"FallbackToLogsOnError\"",
        "IT.ports | absent",
        "IT.readinessProbe | absent",
        "IT.livenessProbe | absent",
        "IT.startupProbe | absent",
        "IT.lifecycle | absent",
        "IT.resizePolicy | absent",
      })
  void everyFieldIsAsPromised(String path, String expected) {
    var full =
        path.replace("POD.", "spec.template.spec.")
            .replace("IT.", "spec.template.spec.containers.0.");
    var found = at(job, full);
    if (expected.equals("absent")) {
      assertEquals(Optional.empty(), found);
    } else {
      assertEquals(Optional.of(JsonParser.parseString(expected)), found);
    }
  }

  private static Optional<JsonElement> at(JsonElement root, String path) {
    var found = root;
    // An annotation's or label's key may have dots; none that is asked for here has.
    for (var step : path.split("\\.")) {
      found =
          switch (found) {
            case JsonObject object -> object.get(step);
            case JsonArray array when Integer.parseInt(step) < array.size() ->
                array.get(Integer.parseInt(step));
            default -> null;
          };
      if (found == null) {
        return Optional.empty();
      }
    }
    return Optional.of(found);
  }

  @Test
  void theJobOfABarePodHasNothingOfWhatTheApiServerPutIntoThePod() throws Exception {
    var cluster = new Cluster(kube, "bare");
    cluster.migrator("shop", "{%s}".formatted(SELECTOR));
    var pod =
        cluster.create(
            "v1",
            "pods",
            """
            {"metadata":{"name":"shop","labels":{"app":"shop"}},
             "spec":{"serviceAccountName":"default","nodeName":"n1","initContainers":[{"name":"migrate-wait-shop","image":"w"}],
              "containers":[{"name":"web","image":"shop:1",
                "volumeMounts":[{"name":"kube-api-access-1","mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}]}],
              "volumes":[{"name":"kube-api-access-1","projected":{"sources":[{"serviceAccountToken":{"path":"token"}}]}}]}}
            """);
    assertEquals(0, at(pod, "spec.priority").orElseThrow().getAsInt());
    var bare = cluster.newJob();
    for (var gone :
        List.of("nodeName", "priority", "preemptionPolicy", "volumes", "initContainers")) {
      assertEquals(Optional.empty(), at(bare, "spec.template.spec." + gone), gone);
    }
    assertEquals(
        Optional.empty(), at(bare, "spec.template.spec.containers.0.volumeMounts"), "token");
  }

  @Test
  void aFieldThatNoLibraryOfOursKnowsReachesTheApiServerWhichIsQuotedWhenItRefusesIt()
      throws Exception {
    var cluster = new Cluster(kube, "unknown");
    cluster.kind("example.com", "fleets", "Fleet");
    cluster.migrator("shop", "{%s}".formatted(SELECTOR));
    var fleet = cluster.create(FLEETS, "fleets", FLEET.formatted(FLEETS, "\"warpFactor\":9,"));
    cluster.waitingPod(
        "shop-1", Cluster.owner(FLEETS, "Fleet", fleet), "{}", "shop", "app", "shop:1");
    await()
        .untilAsserted(
            () -> {
              var message =
                  cluster.ready("shop").map(it -> it.get("message").getAsString()).orElse("");
              assertTrue(
                  message.contains("unknown field \"spec.template.spec.warpFactor\""), message);
            });
    assertEquals("MigrationsQueued", cluster.reason("shop"));
    await()
        .untilAsserted(
            () ->
                assertTrue(
                    cluster.events("Migrator").toString().contains("warpFactor"), "its event"));

    // The pod was made from the template as it was; its successor will not be.
    cluster.delete(FLEETS, "fleets", "shop");
    cluster.delete("v1", "pods", "shop-1");
    var known = cluster.create(FLEETS, "fleets", FLEET.formatted(FLEETS, ""));
    cluster.waitingPod(
        "shop-2", Cluster.owner(FLEETS, "Fleet", known), "{}", "shop", "app", "shop:1");
    cluster.newJob();
  }

  @Test
  void aJobThatTheQuotaRefusesIsToldOfAndStartsOnceThereIsRoom() throws Exception {
    var cluster = new Cluster(kube, "quota");
    cluster.create(
        "v1",
        "resourcequotas",
        "{\"metadata\":{\"name\":\"no-jobs\"},\"spec\":{\"hard\":{\"count/jobs.batch\":\"0\"}}}");
    // As the quota's controller would have it.
    cluster.call(
        "PATCH",
        "/api/v1/namespaces/quota/resourcequotas/no-jobs/status",
        "{\"status\":{\"hard\":{\"count/jobs.batch\":\"0\"},\"used\":{\"count/jobs.batch\":\"0\"}}}");
    cluster.migrator("shop", "{%s}".formatted(SELECTOR));
    cluster.waitingPod("shop-1", cluster.replicaSet("shop-a", "shop:1", 1), "shop", "shop:1");
    await()
        .untilAsserted(
            () -> {
              var message =
                  cluster.ready("shop").map(it -> it.get("message").getAsString()).orElse("");
              assertTrue(message.contains("exceeded quota: no-jobs"), message);
            });
    cluster.delete("v1", "resourcequotas", "no-jobs");
    cluster.newJob();
  }
}
