package net.coderanger.migrations.controller;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.controller.shell.Api;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whose template a migration is made from, for each kind of workload on a real API server. A
 * variable FROM in the container tells: the pods themselves have none.
 */
@ResourceLock(SharedKube.LEASE)
class WorkloadKindsIT {
  private static final String OTHERS = "example.com/v1alpha1";
  private static final String ROLLOUTS = "argoproj.io/v1alpha1";

  /** Makes the owner of a pod in a namespace; answers the owner reference. */
  interface Making {
    String in(Cluster cluster) throws Exception;
  }

  enum Workload {
    REPLICA_SET_OF_A_DEPLOYMENT(
        cluster -> replicaSet(cluster, Cluster.owner("apps/v1", "Deployment", "shop", "d")),
        "replicaset"),
    REPLICA_SET_OF_A_ROLLOUT_WITH_A_TEMPLATE(
        cluster ->
            replicaSet(cluster, rollout(cluster, "{\"template\":%s}".formatted(template("x")))),
        "replicaset"),
    REPLICA_SET_OF_A_ROLLOUT_WITH_A_WORKLOAD_REF(
        cluster ->
            replicaSet(
                cluster,
                rollout(
                    cluster,
                    "{\"workloadRef\":{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"shop\"}}")),
        "replicaset"),
    STATEFUL_SET_WHOSE_POD_IS_OF_AN_OLDER_REVISION(
        cluster -> {
          revision(cluster, "shop-r1", "revision");
          return statefulSet(cluster, "");
        },
        "revision"),
    STATEFUL_SET_WITHOUT_REVISIONS(cluster -> statefulSet(cluster, ""), "statefulset"),
    STATEFUL_SET_WITH_CLAIM_TEMPLATES(
        cluster ->
            statefulSet(
                cluster,
                """
                ,"volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{"accessModes":["ReadWriteOnce"],
                  "resources":{"requests":{"storage":"1Mi"}}}}]
                """),
        "statefulset"),
    DAEMON_SET_WHOSE_POD_IS_OF_AN_OLDER_REVISION(
        cluster -> {
          revision(cluster, "shop-shop-r1", "revision");
          return daemonSet(cluster);
        },
        "revision"),
    DAEMON_SET_WITHOUT_REVISIONS(WorkloadKindsIT::daemonSet, "daemonset"),
    JOB(cluster -> job(cluster, ""), "job"),
    JOB_OF_A_CRON_JOB(
        cluster -> job(cluster, Cluster.owner("batch/v1", "CronJob", "shop", "c")), "job"),
    ANY_OTHER_KIND_WITH_A_TEMPLATE(
        cluster ->
            Cluster.owner(
                OTHERS,
                "Ship",
                cluster.create(
                    OTHERS,
                    "ships",
                    """
                    {"apiVersion":"%s","kind":"Ship","metadata":{"name":"shop"},"spec":{"template":%s}}
                    """
                        .formatted(OTHERS, template("ship")))),
        "ship"),
    A_KIND_WITHOUT_A_TEMPLATE(
        cluster ->
            Cluster.owner(
                OTHERS,
                "Ship",
                cluster.create(
                    OTHERS,
                    "ships",
                    """
                    {"apiVersion":"%s","kind":"Ship","metadata":{"name":"shop"},"spec":{}}
                    """
                        .formatted(OTHERS))),
        "pod"),
    A_KIND_THAT_NOBODY_SERVES(
        _ -> Cluster.owner("nowhere.example/v1", "Ghost", "shop", "g"), "pod"),
    AN_OWNER_THAT_IS_GONE(_ -> Cluster.owner("apps/v1", "StatefulSet", "gone", "g"), "pod"),
    ANOTHER_OWNER_OF_THE_SAME_NAME(
        cluster -> {
          statefulSet(cluster, "");
          return Cluster.owner("apps/v1", "StatefulSet", "shop", "another");
        },
        "pod"),
    NO_OWNER(_ -> "", "pod");

    private final Making making;
    private final String from;

    Workload(Making making, String from) {
      this.making = making;
      this.from = from;
    }

    /** A namespace of its own. */
    Cluster cluster(KubeApi kube) throws Exception {
      return new Cluster(kube, name().toLowerCase(Locale.ROOT).replace('_', '-'));
    }

    /** Makes the workload and a pod of it that waits. */
    void waitingPod(Cluster cluster) throws Exception {
      cluster.waitingPod(
          "shop-0",
          making.in(cluster),
          "{\"controller-revision-hash\":\"shop-r1\"}",
          "shop",
          "app",
          "shop:1");
    }
  }

  private static KubeApi kube;
  private static RunningController controller;

  @BeforeAll
  static void start() throws Exception {
    kube = SharedKube.get();
    controller = new RunningController(kube, Api.Observer.NONE);
    var cluster = new Cluster(kube, "kinds");
    cluster.kind("example.com", "ships", "Ship");
    cluster.kind("argoproj.io", "rollouts", "Rollout");
  }

  @AfterAll
  static void stop() {
    controller.close();
  }

  @ParameterizedTest
  @EnumSource
  void theImmediateControllerLendsItsTemplateElseThePodItself(Workload workload) throws Exception {
    var cluster = workload.cluster(kube);
    cluster.migrator("shop", "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}}");
    workload.waitingPod(cluster);
    var container =
        cluster
            .newJob()
            .getAsJsonObject("spec")
            .getAsJsonObject("template")
            .getAsJsonObject("spec")
            .getAsJsonArray("containers")
            .get(0)
            .getAsJsonObject();
    assertEquals(workload.from, from(container));
    assertEquals("shop:1", container.get("image").getAsString());
    var message = cluster.ready("shop").orElseThrow().get("message").getAsString();
    assertEquals(
        workload == Workload.STATEFUL_SET_WITH_CLAIM_TEMPLATES,
        message.contains("the volumes of the claim templates of StatefulSet/shop are empty"),
        message);
  }

  private static String from(JsonObject container) {
    return container.has("env")
        ? container.getAsJsonArray("env").get(0).getAsJsonObject().get("value").getAsString()
        : "pod";
  }

  private static String template(String from) {
    return """
    {"metadata":{"labels":{"app":"shop"}},"spec":{"containers":[{"name":"app","image":"shop:1",
      "env":[{"name":"FROM","value":"%s"}],"volumeMounts":%s}]}}
    """
        .formatted(
            from, from.equals("statefulset") ? "[{\"name\":\"data\",\"mountPath\":\"/d\"}]" : "[]");
  }

  private static String replicaSet(Cluster cluster, String owner) throws Exception {
    return Cluster.owner(
        "apps/v1",
        "ReplicaSet",
        cluster.create(
            "apps/v1",
            "replicasets",
            """
            {"metadata":{"name":"shop-a","ownerReferences":[%s]},
             "spec":{"replicas":1,"selector":{"matchLabels":{"app":"shop"}},"template":%s}}
            """
                .formatted(owner, template("replicaset"))));
  }

  private static String rollout(Cluster cluster, String spec) throws Exception {
    return Cluster.owner(
        ROLLOUTS,
        "Rollout",
        cluster.create(
            ROLLOUTS,
            "rollouts",
            """
            {"apiVersion":"%s","kind":"Rollout","metadata":{"name":"shop"},"spec":%s}
            """
                .formatted(ROLLOUTS, spec)));
  }

  private static String statefulSet(Cluster cluster, String more) throws Exception {
    var template = template("statefulset");
    return Cluster.owner(
        "apps/v1",
        "StatefulSet",
        cluster.create(
            "apps/v1",
            "statefulsets",
            """
            {"metadata":{"name":"shop"},"spec":{"serviceName":"shop","selector":{"matchLabels":{"app":"shop"}},"template":%s%s}}
            """
                .formatted(
                    more.isEmpty()
                        ? template.replace("[{\"name\":\"data\",\"mountPath\":\"/d\"}]", "[]")
                        : template,
                    more)));
  }

  private static String daemonSet(Cluster cluster) throws Exception {
    return Cluster.owner(
        "apps/v1",
        "DaemonSet",
        cluster.create(
            "apps/v1",
            "daemonsets",
            """
            {"metadata":{"name":"shop"},"spec":{"selector":{"matchLabels":{"app":"shop"}},"template":%s}}
            """
                .formatted(template("daemonset"))));
  }

  private static String job(Cluster cluster, String owner) throws Exception {
    return Cluster.owner(
        "batch/v1",
        "Job",
        cluster.create(
            "batch/v1",
            "jobs",
            """
            {"metadata":{"name":"shop","ownerReferences":[%s]},"spec":{"suspend":true,"template":%s}}
            """
                .formatted(
                    owner,
                    template("job")
                        .replace("\"containers\"", "\"restartPolicy\":\"Never\",\"containers\""))));
  }

  private static void revision(Cluster cluster, String name, String from) throws Exception {
    cluster.create(
        "apps/v1",
        "controllerrevisions",
        """
        {"metadata":{"name":"%s"},"revision":1,"data":{"spec":{"template":%s}}}
        """
            .formatted(name, template(from)));
  }
}
