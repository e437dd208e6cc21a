package net.coderanger.migrations.controller.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.kubernetes.client.custom.Quantity;
import io.kubernetes.client.openapi.models.V1ConfigMapEnvSource;
import io.kubernetes.client.openapi.models.V1EnvFromSource;
import io.kubernetes.client.openapi.models.V1EnvVar;
import io.kubernetes.client.openapi.models.V1ResourceRequirements;
import net.coderanger.migrations.api.Vocabulary;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What the Job of an attempt is made of. */
class JobManifestTest {
  private final Scene scene = new Scene();
  private String kind = "ReplicaSet";
  private Template template = template("{containers: [{name: app, image: 'shop:1'}]}");

  private Template template(String spec) {
    return template =
        Scene.template(kind, "web-1", "web", 1, Scene.json("{spec: %s}".formatted(spec)));
  }

  private JsonObject job() {
    return JobManifest.of(scene.intent(), template, "shop:1", 1, scene.claimNodes);
  }

  private JsonObject pod() {
    return job().getAsJsonObject("spec").getAsJsonObject("template");
  }

  private JsonObject spec() {
    return pod().getAsJsonObject("spec");
  }

  private JsonObject container() {
    var containers = spec().getAsJsonArray("containers");
    assertEquals(1, containers.size());
    return containers.get(0).getAsJsonObject();
  }

  private static JsonElement json(String text) {
    return Scene.json("{x: %s}".formatted(text)).get("x");
  }

  private static String text(JsonObject object, String... path) {
    JsonElement at = object;
    for (var name : path) {
      at = at.getAsJsonObject().get(name);
    }
    return at.getAsString();
  }

  @Nested
  class TheJob {
    @Test
    void beginsSuspendedAndIsOneAttempt() {
      var spec = job().getAsJsonObject("spec");
      assertTrue(spec.get("suspend").getAsBoolean());
      assertEquals(0, spec.get("backoffLimit").getAsInt());
      assertEquals(1, spec.get("parallelism").getAsInt());
      assertEquals("Failed", text(spec, "podReplacementPolicy"));
      assertFalse(spec.has("podFailurePolicy"));
      assertFalse(spec.has("activeDeadlineSeconds"));
      assertFalse(spec.has("ttlSecondsAfterFinished"));
    }

    @Test
    void belongsToItsMigratorAndSaysWhatItMigrates() {
      var job = job();
      var owner =
          job.getAsJsonObject("metadata")
              .getAsJsonArray("ownerReferences")
              .get(0)
              .getAsJsonObject();
      assertEquals("migrator-1", text(owner, "uid"));
      assertTrue(owner.get("controller").getAsBoolean());
      var view = Scene.view(job, "");
      assertEquals("shop:1", view.image());
      assertEquals(1, view.serial());
      assertEquals(scene.intent().specHash(), view.annotations().get(JobView.SPEC_HASH));
      assertEquals("ReplicaSet/web-1", view.annotations().get(JobView.TEMPLATE));
      assertEquals("shop", text(job, "metadata", "labels", "migrations"));
    }

    @Test
    void hasANameOfItsOwnForEachImageMigrationImageAndAttempt() {
      var names = new HashSet<String>();
      names.add(JobManifest.name(scene.intent(), "shop:1", 1));
      names.add(JobManifest.name(scene.intent(), "shop:1", 2));
      names.add(JobManifest.name(scene.intent(), "shop:2", 1));
      scene.spec.setImage("migrator:1");
      names.add(JobManifest.name(scene.intent(), "shop:1", 1));
      assertEquals(4, names.size());
      names.forEach(name -> assertTrue(name.matches("shop-migrations-[0-9a-f]{8}"), name));
    }

    @Test
    void aSuccessorFindsTheSameFingerprintWhateverTheOrderOfMembers() {
      template("{containers: [{name: app, image: 'shop:1', env: [{name: A, value: b}]}]}");
      var before = JobManifest.hash(scene.intent(), template, "shop:1", Map.of());
      template("{containers: [{env: [{value: b, name: A}], image: 'shop:1', name: app}]}");
      assertEquals(before, JobManifest.hash(scene.intent(), template, "shop:1", Map.of()));
    }

    @Test
    void hasAFingerprintOfAllThatItsPodIsMadeOfAndOfNothingElse() {
      var before = JobManifest.hash(scene.intent(), template, "shop:1", Map.of());
      assertEquals(before, Scene.view(job(), "").annotations().get(JobView.TEMPLATE_HASH));
      scene.spec.suspend(true).backoffLimit(9).failedJobsHistoryLimit(9);
      assertEquals(before, JobManifest.hash(scene.intent(), template, "shop:1", Map.of()));
      scene.spec.setActiveDeadlineSeconds(5L);
      assertNotEquals(before, JobManifest.hash(scene.intent(), template, "shop:1", Map.of()));
    }
  }

  @Nested
  class TheContainer {
    @Test
    void isTheChosenOneAloneAndRenamed() {
      scene.spec.setContainer("app");
      template(
          "{containers: [{name: web, image: 'w:1'}, {name: app, image: 'shop:1', tty: true}]}");
      assertEquals("migrations", text(container(), "name"));
      assertEquals("shop:1", text(container(), "image"));
      assertTrue(container().get("tty").getAsBoolean());
    }

    @Test
    void losesWhatBelongsToAServer() {
      template(
          "{containers: [{name: app, image: 'shop:1', readinessProbe: {a: 1}, livenessProbe: {a:"
              + " 1}, startupProbe: {a: 1}, lifecycle: {a: 1}, ports: [{containerPort: 80,"
              + " hostPort: 80}], resizePolicy: [], restartPolicy: Always, restartPolicyRules:"
              + " []}]}");
      assertEquals(Set.of("name", "image", "terminationMessagePolicy"), container().keySet());
      assertEquals("FallbackToLogsOnError", text(container(), "terminationMessagePolicy"));
    }

    @Test
    void keepsFieldsThatOurLibraryDoesNotKnow() {
      template(
          "{containers: [{name: app, image: 'shop:1', fromTheFuture: {a: [1]}}], alsoNew: {b: 2}}");
      assertEquals(json("{a: [1]}"), container().get("fromTheFuture"));
      assertEquals(json("{b: 2}"), spec().get("alsoNew"));
    }

    @Test
    void takesImageCommandArgsAndResourcesOfTheSpec() {
      template(
          "{containers: [{name: app, image: 'shop:1', command: [serve], args: [a], resources:"
              + " {limits: {cpu: '9'}}}]}");
      scene
          .spec
          .image("migrator:1")
          .command(List.of("migrate"))
          .args(List.of())
          .resources(new V1ResourceRequirements().putRequestsItem("memory", new Quantity("64Mi")));
      assertEquals("migrator:1", text(container(), "image"));
      assertEquals(json("[migrate]"), container().get("command"));
      assertEquals(new JsonArray(), container().get("args"));
      assertEquals("64Mi", text(container(), "resources", "requests", "memory"));
      assertEquals(new JsonObject(), container().getAsJsonObject("resources").get("limits"));
    }

    @Test
    void mergesTheEnvironmentByNameAndAppendsSources() {
      template(
          "{containers: [{name: app, image: 'shop:1', env: [{name: A, value: '1'}, {name: B, value:"
              + " '2'}], envFrom: [{secretRef: {name: s}}]}]}");
      scene
          .spec
          .env(List.of(new V1EnvVar().name("A").value("9"), new V1EnvVar().name("C").value("3")))
          .envFrom(
              List.of(new V1EnvFromSource().configMapRef(new V1ConfigMapEnvSource().name("c"))));
      assertEquals(
          json("[{name: A, value: '9'}, {name: B, value: '2'}, {name: C, value: '3'}]"),
          container().get("env"));
      assertEquals(
          json("[{secretRef: {name: s}}, {configMapRef: {name: c}}]"), container().get("envFrom"));
    }
  }

  @Nested
  class InitContainers {
    @Test
    void areKeptWithNativeSidecarsButWithoutWaiters() {
      template(
          "{initContainers: [{name: proxy, restartPolicy: Always}, {name: migrate-wait-shop},"
              + " {name: wait-db}], containers: [{name: app, image: 'shop:1'}]}");
      assertEquals(
          json(
              "[{name: proxy, restartPolicy: Always, terminationMessagePolicy:"
                  + " FallbackToLogsOnError}, {name: wait-db, terminationMessagePolicy:"
                  + " FallbackToLogsOnError}]"),
          spec().get("initContainers"));
    }

    @Test
    void areDroppedWhenNoneIsLeft() {
      template(
          "{initContainers: [{name: migrate-wait-shop}], containers: [{name: app, image:"
              + " 'shop:1'}]}");
      assertFalse(spec().has("initContainers"));
    }

    @Test
    void takeNoPortOfTheHost() {
      template(
          "{initContainers: [{name: proxy, ports: [{name: p, containerPort: 1, hostPort: 1, hostIP:"
              + " '::'}]}], containers: [{name: app, image: 'shop:1'}]}");
      assertEquals(json("[{name: p, containerPort: 1}]"), ports());
      template(
          "{hostNetwork: true, initContainers: [{name: proxy, ports: [{containerPort: 1}]}],"
              + " containers: [{name: app, image: 'shop:1'}]}");
      assertEquals(null, ports());
    }

    private JsonElement ports() {
      return spec().getAsJsonArray("initContainers").get(0).getAsJsonObject().get("ports");
    }

    @Test
    void ofTheMigrationsNameAreRenamed() {
      template(
          "{initContainers: [{name: migrations}], containers: [{name: app, image: 'shop:1'}]}");
      assertEquals(
          "init-migrations",
          text(spec().getAsJsonArray("initContainers").get(0).getAsJsonObject(), "name"));
    }
  }

  @Nested
  class ThePod {
    @Test
    void canRunBesideTheWaitingOne() {
      template(
          "{hostname: h, subdomain: s, topologySpreadConstraints: [1], schedulingGates: [1],"
              + " affinity: {podAffinity: {a: 1}, podAntiAffinity: {a: 1}, nodeAffinity: {keep:"
              + " 1}}, containers: [{name: app, image: 'shop:1'}]}");
      assertEquals(json("{nodeAffinity: {keep: 1}}"), spec().get("affinity"));
      for (var field :
          List.of("hostname", "subdomain", "topologySpreadConstraints", "schedulingGates")) {
        assertFalse(spec().has(field), field);
      }
    }

    @Test
    void neverRestartsNorServes() {
      template(
          "{restartPolicy: Always, readinessGates: [{conditionType: x}], containers: [{name: app,"
              + " image: 'shop:1'}]}");
      assertEquals("Never", text(spec(), "restartPolicy"));
      assertEquals(
          json("[{conditionType: '%s'}]".formatted(Vocabulary.NEVER_READY)),
          spec().get("readinessGates"));
    }

    @Test
    void hasTheDeadlineOfTheSpecAndNotTheTemplates() {
      template("{activeDeadlineSeconds: 5, containers: [{name: app, image: 'shop:1'}]}");
      assertFalse(spec().has("activeDeadlineSeconds"));
      scene.spec.setActiveDeadlineSeconds(60L);
      assertEquals(60, spec().get("activeDeadlineSeconds").getAsInt());
    }

    @Test
    void hasTheServiceAccountOfTheSpec() {
      template(
          "{serviceAccountName: a, serviceAccount: a, containers: [{name: app, image: 'shop:1'}]}");
      assertEquals("a", text(spec(), "serviceAccountName"));
      scene.spec.setServiceAccountName("migrator");
      assertEquals("migrator", text(spec(), "serviceAccountName"));
      assertFalse(spec().has("serviceAccount"));
    }

    @Test
    void hasTheLabelsAndAnnotationsOfTheSpecAndOursOverThem() {
      scene
          .spec
          .labels(Map.of("team", "a", "migrations", "spoofed"))
          .annotations(Map.of("note", "b", Vocabulary.NO_WAIT, "false"));
      var metadata = pod().getAsJsonObject("metadata");
      assertEquals("a", text(metadata, "labels", "team"));
      assertEquals("shop", text(metadata, "labels", "migrations"));
      assertEquals("b", text(metadata, "annotations", "note"));
      assertEquals("true", text(metadata, "annotations", Vocabulary.NO_WAIT));
      assertEquals(
          "false", text(metadata, "annotations", "cluster-autoscaler.kubernetes.io/safe-to-evict"));
    }

    @Test
    void hasOnlyTheVolumesThatItMounts() {
      template(
          "{volumes: [{name: a, emptyDir: {}}, {name: b, emptyDir: {}}, {name: c, emptyDir: {}}],"
              + " initContainers: [{name: i, volumeMounts: [{name: b, mountPath: '/b'}]}],"
              + " containers: [{name: app, image: 'shop:1', volumeMounts: [{name: a, mountPath:"
              + " '/a'}]}, {name: other, volumeMounts: [{name: c, mountPath: '/c'}]}]}");
      assertEquals(
          json("[{name: a, emptyDir: {}}, {name: b, emptyDir: {}}]"), spec().get("volumes"));
    }

    @Test
    void leavesTheTemplateAsItWas() {
      var before = template.template().deepCopy();
      job();
      assertEquals(before, template.template());
    }
  }

  @Nested
  class Claims {
    private static final String CLAIM =
        "{%s volumes: [{name: d, persistentVolumeClaim: {claimName: data}}], containers: [{name:"
            + " app, image: 'shop:1', volumeMounts: [{name: d, mountPath: '/d'}]}]}";

    @Test
    void thatOneNodeAloneMayMountPinTheMigrationThere() {
      template(CLAIM.formatted(""));
      assertFalse(spec().has("affinity"));
      scene.claimNodes.put("data", "node-2");
      assertEquals(
          json(
              "{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms:"
                  + " [{matchFields: [{key: 'metadata.name', operator: In, values:"
                  + " ['node-2']}]}]}}}"),
          spec().get("affinity"));
    }

    @Test
    void pinEachOfTheAlternativesOfANodeAffinity() {
      template(
          CLAIM.formatted(
              "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution:"
                  + " {nodeSelectorTerms: [{matchExpressions: [1]}, {matchExpressions: [2]}]}}},"));
      scene.claimNodes.put("data", "node-2");
      spec()
          .getAsJsonObject("affinity")
          .getAsJsonObject("nodeAffinity")
          .getAsJsonObject("requiredDuringSchedulingIgnoredDuringExecution")
          .getAsJsonArray("nodeSelectorTerms")
          .forEach(term -> assertTrue(term.getAsJsonObject().has("matchFields")));
    }

    @Test
    void thatTheMigrationDoesNotMountDoNotMatter() {
      template(
          "{volumes: [{name: d, persistentVolumeClaim: {claimName: data}}], containers: [{name:"
              + " app, image: 'shop:1'}]}");
      scene.claimNodes.put("data", "node-2");
      assertFalse(spec().has("affinity"));
    }

    @Test
    void ofAStatefulSetsClaimTemplatesAreEmptyAndTheConditionSaysSo() {
      kind = "StatefulSet";
      template(
          "{volumes: [{name: data, persistentVolumeClaim: {claimName: x}}], containers: [{name:"
              + " app, image: 'shop:1', volumeMounts: [{name: data, mountPath: '/d'}]}]}");
      var claims =
          json("[{metadata: {name: data}}, {metadata: {name: unmounted}}]").getAsJsonArray();
      var before = template.template().deepCopy();
      var original = template;
      template = template.withEmptyClaims(claims);
      assertEquals(before, original.template().deepCopy());
      assertEquals(json("[{name: data, emptyDir: {}}]"), spec().get("volumes"));
      scene.waiting("a", template);
      var decision = scene.decide();
      assertTrue(Scene.message(decision).contains("claim templates of StatefulSet/web-1"));
      scene.status = decision.status();
      scene.jobs.add(Scene.view(decision.start().orElseThrow().job(), scene.uid));
      assertEquals(Scene.message(decision), Scene.message(scene.decide()));
    }

    @Test
    void withoutClaimTemplatesTheTemplateIsTheSame() {
      assertEquals(template, template.withEmptyClaims(new JsonArray()));
    }
  }

  @Nested
  class FromABarePod {
    @Test
    void whatAdmissionAndSchedulerPutThereIsDropped() {
      kind = "Pod";
      template(
          "{nodeName: n, priority: 5, priorityClassName: high, preemptionPolicy: Never, overhead:"
              + " {cpu: '1'}, ephemeralContainers: [1], volumes: [{name: kube-api-access-x,"
              + " projected: {}}, {name: mine, emptyDir: {}}], containers: [{name: app, image:"
              + " 'shop:1', volumeMounts: [{name: kube-api-access-x, mountPath:"
              + " '/var/run/secrets/kubernetes.io/serviceaccount'}, {name: mine, mountPath:"
              + " '/m'}]}]}");
      for (var field :
          List.of("nodeName", "priority", "preemptionPolicy", "overhead", "ephemeralContainers")) {
        assertFalse(spec().has(field), field);
      }
      assertEquals("high", text(spec(), "priorityClassName"));
      assertEquals(json("[{name: mine, emptyDir: {}}]"), spec().get("volumes"));
      assertEquals(json("[{name: mine, mountPath: '/m'}]"), container().get("volumeMounts"));
    }
  }
}
