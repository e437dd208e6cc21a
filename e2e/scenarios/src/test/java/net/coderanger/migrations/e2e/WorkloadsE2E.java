package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;

/** Whatever shape a workload has, its migration runs beside its waiting pods. */
class WorkloadsE2E {
  private final Lab lab = Lab.withOperator();

  @Test
  void aStatefulSetAndADaemonSetAreMigratedLikeADeployment() throws Exception {
    for (var kind : List.of("StatefulSet", "DaemonSet")) {
      try (var shop = new Shop(lab)) {
        var path =
            "/apis/apps/v1/namespaces/%s/%ss"
                .formatted(shop.namespace, kind.toLowerCase(Locale.ROOT));
        shop.migrator("true", "");
        lab.create(
            path,
            """
            {"metadata":{"name":"shop"},"spec":{%s"selector":{"matchLabels":{"name":"shop"}},"template":%s}}
            """
                .formatted(
                    kind.equals("StatefulSet") ? "\"serviceName\":\"shop\",\"replicas\":2," : "",
                    shop.podTemplate("shop", Shop.image(1), "")));
        var count = kind.equals("StatefulSet") ? 2 : 1;
        shop.awaitRunning(count, Shop.image(1));
        lab.patch(
            path + "/shop",
            "{\"spec\":{\"template\":%s}}".formatted(shop.podTemplate("shop", Shop.image(2), "")));
        shop.awaitRunning(count, Shop.image(2));
        assertEquals(2, shop.migrator().getAsJsonObject("status").get("attempts").getAsInt(), kind);
      }
    }
  }

  @Test
  void aNativeSidecarInTheTemplateNeitherHoldsTheReleaseNorTheJob() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator("true", "");
      var template =
          shop.podTemplate(
              "shop",
              Shop.image(1),
              """
              "initContainers":[{"name":"proxy","image":"%s","restartPolicy":"Always","command":["sh","-c","trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"],
               "securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}],
              """
                  .formatted(Shop.image(3)));
      shop.deploymentOf("shop", 2, template);
      shop.awaitRunning(2, Shop.image(1));
      shop.awaitThat(
          "the Job completes",
          () -> shop.jobs().stream().anyMatch(job -> job.toString().contains("\"Complete\"")));
    }
  }

  @Test
  void aWorkloadThatCannotRunBesideItselfIsMigratedBesideItself() throws Exception {
    // The Pod Security Standards allow no host ports but in a privileged namespace.
    try (var shop = new Shop(lab, "privileged")) {
      shop.migrator("true", "");
      var template =
          shop.podTemplate(
              "shop",
              Shop.image(1),
              """
              "affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
               {"topologyKey":"kubernetes.io/hostname","labelSelector":{"matchLabels":{"app":"shop"}}}]}},
              """);
      shop.deploymentOf(
          "shop",
          1,
          template.replace(
              "\"name\":\"app\",",
              "\"name\":\"app\",\"ports\":[{\"containerPort\":8080,\"hostPort\":18080}],"));
      shop.awaitRunning(1, Shop.image(1));
    }
  }

  @Test
  void aClaimThatOneNodeCanMountIsMountedByMigrationAndApplication() throws Exception {
    try (var shop = new Shop(lab)) {
      var volume = "/api/v1/persistentvolumes/" + shop.namespace;
      lab.create(
          "/api/v1/persistentvolumes",
          """
          {"metadata":{"name":"%1$s"},"spec":{"capacity":{"storage":"1Mi"},"accessModes":["ReadWriteOnce"],
           "persistentVolumeReclaimPolicy":"Retain","storageClassName":"","claimRef":{"namespace":"%1$s","name":"data"},
           "hostPath":{"path":"/tmp/%1$s","type":"DirectoryOrCreate"}}}
          """
              .formatted(shop.namespace));
      try {
        shop.create(
            "v1",
            "persistentvolumeclaims",
            """
            {"metadata":{"name":"data"},"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"",
             "volumeName":"%s","resources":{"requests":{"storage":"1Mi"}}}}
            """
                .formatted(shop.namespace));
        shop.migrator("grep ' /data ' /proc/mounts", "");
        shop.deploymentOf(
            "shop",
            2,
            shop.podTemplate(
                    "shop",
                    Shop.image(1),
                    "\"volumes\":[{\"name\":\"data\",\"persistentVolumeClaim\":{\"claimName\":\"data\"}}],")
                .replace(
                    "\"name\":\"app\",",
                    "\"name\":\"app\",\"volumeMounts\":[{\"name\":\"data\",\"mountPath\":\"/data\"}],"));
        shop.awaitRunning(2, Shop.image(1));
        var node = shop.pods().getFirst().getAsJsonObject("spec").get("nodeName").getAsString();
        assertTrue(
            shop.jobs().getFirst().getAsJsonObject("spec").toString().contains(node),
            "the Job names the node on which the claim is mounted");
      } finally {
        lab.delete(volume);
      }
    }
  }

  @Test
  void aServiceThatSelectsTheLabelsOfTheMigrationSendsItNothing() throws Exception {
    try (var shop = new Shop(lab)) {
      shop.migrator(Shop.UNTIL_TOLD, "\"labels\":{\"served\":\"yes\"}");
      shop.create(
          "v1",
          "services",
          "{\"metadata\":{\"name\":\"shop\"},\"spec\":{\"selector\":{\"served\":\"yes\"},\"ports\":[{\"port\":80}]}}");
      shop.deployment(1, Shop.image(1));
      var migration = shop.runningMigration();
      shop.awaitThat(
          "the Service knows the migration's pod, and not as ready",
          () -> {
            var slices =
                lab.list(
                    "/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices"
                        .formatted(shop.namespace));
            assertFalse(slices.toString().contains("\"ready\":true"), slices::toString);
            return slices.toString().contains(migration);
          });
      shop.letMigrationEnd();
      shop.awaitRunning(1, Shop.image(1));
    }
  }
}
