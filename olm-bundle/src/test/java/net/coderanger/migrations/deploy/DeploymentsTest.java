package net.coderanger.migrations.deploy;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import org.junit.jupiter.api.Test;

/** What deploy/ says, file by file, without a cluster. */
class DeploymentsTest {
  private static final String VERSION = System.getProperty("project.version");
  private static final String IMAGES = "ghcr.io/coderanger/migrations-operator/";
  private static final String NAMESPACE = "migrations-operator";
  private static final Set<String> CLUSTER_KINDS =
      Set.of(
          "Namespace",
          "ClusterRole",
          "ClusterRoleBinding",
          "MutatingWebhookConfiguration",
          "ValidatingAdmissionPolicy",
          "ValidatingAdmissionPolicyBinding");

  private final List<Manifest> all = Manifest.deployed();

  @Test
  void everyImageIsOfThisVersion() {
    var images = new TreeSet<String>();
    of("Deployment")
        .flatMap(it -> it.each("spec", "template", "spec", "containers"))
        .forEach(
            container -> {
              images.add(container.get("image").getAsString());
              assertEquals("IfNotPresent", container.get("imagePullPolicy").getAsString());
              images.add(environment(container).getOrDefault("INJECTOR_WAITER_IMAGE", ""));
            });
    images.remove("");
    assertEquals(
        Set.of(
            IMAGES + "migrator-controller:" + VERSION,
            IMAGES + "injector-webhook:" + VERSION,
            IMAGES + "waiter:" + VERSION),
        images);
  }

  @Test
  void theChartIsOfThisVersion() {
    var chart = Manifest.read(Chart.FOLDER.resolve("Chart.yaml")).getFirst();
    assertEquals(VERSION, chart.at("version").getAsString());
    assertEquals(VERSION, chart.at("appVersion").getAsString());
  }

  @Test
  void everyObjectIsInOurNamespaceOrInNone() {
    assertTrue(of("Namespace").map(Manifest::name).toList().equals(List.of(NAMESPACE)));
    for (var manifest : all) {
      var expected = CLUSTER_KINDS.contains(manifest.kind()) ? "" : NAMESPACE;
      assertEquals(expected, manifest.namespace(), manifest::toString);
    }
  }

  @Test
  void labelsAndSelectorsAgree() {
    var deployments = of("Deployment").toList();
    assertEquals(
        List.of("injector-webhook", "migrator-controller"),
        deployments.stream().map(Manifest::name).sorted().toList());
    for (var deployment : deployments) {
      var label = new JsonObject();
      label.addProperty("app.kubernetes.io/name", deployment.name());
      assertEquals(label, deployment.at("spec", "selector", "matchLabels"));
      var labels = deployment.at("spec", "template", "metadata", "labels").getAsJsonObject();
      assertTrue(labels.entrySet().containsAll(label.entrySet()), labels::toString);
      assertEquals(label, named("Service", deployment).at("spec", "selector"));
      assertEquals(
          label, named("PodDisruptionBudget", deployment).at("spec", "selector", "matchLabels"));
      assertEquals(
          deployment.name(),
          deployment.at("spec", "template", "spec", "serviceAccountName").getAsString());
      named("ServiceAccount", deployment);
      // The NetworkPolicy selects by it.
      assertEquals(NAMESPACE, labels.get("app.kubernetes.io/part-of").getAsString());
    }
  }

  @Test
  void ourPodsAreHardenedSpreadAndTakeNoVariablesOfServices() {
    for (var deployment : of("Deployment").toList()) {
      var pod = deployment.at("spec", "template", "spec").getAsJsonObject();
      assertFalse(pod.get("enableServiceLinks").getAsBoolean());
      assertTrue(pod.getAsJsonObject("securityContext").get("runAsNonRoot").getAsBoolean());
      for (var element : pod.getAsJsonArray("containers")) {
        var container = element.getAsJsonObject().getAsJsonObject("securityContext");
        assertTrue(container.get("readOnlyRootFilesystem").getAsBoolean());
        assertFalse(container.get("allowPrivilegeEscalation").getAsBoolean());
      }
      var spread = pod.getAsJsonArray("topologySpreadConstraints").get(0).getAsJsonObject();
      assertEquals("kubernetes.io/hostname", spread.get("topologyKey").getAsString());
      assertEquals(
          deployment.at("spec", "selector", "matchLabels"),
          spread.getAsJsonObject("labelSelector").get("matchLabels"));
    }
    var policy = of("NetworkPolicy").findFirst().orElseThrow();
    assertEquals(
        List.of(8443, 8080),
        policy
            .each("spec", "ingress")
            .flatMap(it -> it.getAsJsonArray("ports").asList().stream())
            .map(port -> port.getAsJsonObject().get("port").getAsInt())
            .toList());
  }

  @Test
  void everyRoleIsBoundToASubjectThatExists() {
    var roles = new TreeSet<String>();
    of("ClusterRole").filter(it -> !isForUsers(it)).forEach(it -> roles.add(it.toString()));
    of("Role").forEach(it -> roles.add(it.toString()));
    var bound = new TreeSet<String>();
    Stream.concat(of("ClusterRoleBinding"), of("RoleBinding"))
        .forEach(
            binding -> {
              bound.add(
                  binding.at("roleRef", "kind").getAsString()
                      + "/"
                      + binding.at("roleRef", "name").getAsString());
              binding
                  .each("subjects")
                  .forEach(
                      subject -> {
                        assertEquals(NAMESPACE, subject.get("namespace").getAsString());
                        assertTrue(
                            of("ServiceAccount")
                                .anyMatch(
                                    it -> it.name().equals(subject.get("name").getAsString())));
                      });
            });
    assertEquals(roles, bound);
  }

  @Test
  void noRuleHasAWildcardAndSecretsAreNamed() {
    Stream.concat(of("ClusterRole"), of("Role"))
        .filter(it -> it.json().has("rules"))
        .forEach(
            role ->
                role.each("rules")
                    .forEach(
                        rule -> {
                          assertFalse(rule.toString().contains("\"*\""), role + ": " + rule);
                          if (rule.get("resources").toString().contains("secrets")) {
                            assertEquals("Role", role.kind());
                            assertTrue(
                                rule.has("resourceNames")
                                    || rule.get("verbs").toString().equals("[\"create\"]"),
                                role + ": " + rule);
                          }
                        }));
  }

  static Map<String, String> environment(JsonObject container) {
    var environment = new TreeMap<String, String>();
    for (var element : container.getAsJsonArray("env")) {
      var variable = element.getAsJsonObject();
      environment.put(
          variable.get("name").getAsString(),
          variable.has("value")
              ? variable.get("value").getAsString()
              : variable.get("valueFrom").toString());
    }
    return environment;
  }

  private static boolean isForUsers(Manifest role) {
    return role.json().getAsJsonObject("metadata").has("labels");
  }

  private Stream<Manifest> of(String kind) {
    return all.stream().filter(it -> it.kind().equals(kind));
  }

  private Manifest named(String kind, Manifest other) {
    return of(kind).filter(it -> it.name().equals(other.name())).findFirst().orElseThrow();
  }
}
