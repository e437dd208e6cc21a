package net.coderanger.migrations.deploy;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.models.V1Deployment;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Vocabulary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bundle as the build puts it together, beside deploy/. */
class BundleTest {
  private static final String VERSION = System.getProperty("project.version");
  private static final Path BUNDLE = Path.of("target/classes");

  private final Manifest csv =
      read("manifests/migrations-operator.clusterserviceversion.yaml").getFirst();
  private final List<Manifest> deployed = Manifest.deployed();

  @Test
  void everyFileHoldsOneObject() throws IOException {
    try (var files = Files.list(BUNDLE.resolve("manifests"))) {
      for (var file : files.toList()) {
        assertEquals(1, Manifest.read(file).size(), file::toString);
      }
    }
  }

  @Test
  void theCrdIsTheOneOfItsOnlyPlace() throws IOException {
    assertEquals(KubeApi.crd(), Files.readString(BUNDLE.resolve("manifests/migrators.yaml")));
    var owned = csv.each("spec", "customresourcedefinitions", "owned").toList();
    assertEquals(1, owned.size());
    assertEquals(
        Vocabulary.PLURAL + "." + Vocabulary.GROUP, owned.getFirst().get("name").getAsString());
    assertEquals(Vocabulary.VERSION, owned.getFirst().get("version").getAsString());
    assertEquals(Vocabulary.KIND, owned.getFirst().get("kind").getAsString());
  }

  @Test
  void theVersionIsTheBuilds() {
    assertEquals("migrations-operator.v" + VERSION.toLowerCase(Locale.ROOT), csv.name());
    assertEquals(VERSION, csv.at("spec", "version").getAsString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"migrator-controller", "injector-webhook"})
  void aDeploymentIsTheDeployedOne(String name) {
    var bundled = deployments().filter(it -> it.get("name").getAsString().equals(name)).findFirst();
    var mode = name.equals("injector-webhook") ? "files" : "self-managed";
    assertEquals(spec(name, mode), bundled.orElseThrow().get("spec"));
  }

  /** Our Deployment, and the one thing that deploy/default adds: who makes the certificate. */
  private JsonElement spec(String name, String mode) {
    var spec = one("Deployment", name).at("spec").deepCopy().getAsJsonObject();
    var variable = new JsonObject();
    variable.addProperty("name", "TLS_MODE");
    variable.addProperty("value", mode);
    containers(spec).findFirst().orElseThrow().getAsJsonArray("env").add(variable);
    return spec;
  }

  @Test
  void deploymentsHaveNoFieldThatKubernetesDoesNotKnow() throws IOException {
    for (var deployment : deployments().toList()) {
      var object = new JsonObject();
      object.addProperty("apiVersion", "apps/v1");
      object.addProperty("kind", "Deployment");
      object.add("metadata", new JsonObject());
      object.add("spec", deployment.get("spec"));
      V1Deployment.validateJsonElement(object);
    }
  }

  @Test
  void rightsAreTheDeployedOnes() {
    var everywhere = rules("ClusterRole", "migrations-operator-controller");
    everywhere.addAll(rules("ClusterRole", "migrations-operator-controller-reviews"));
    assertEquals(
        Map.of(
            "migrator-controller",
            everywhere,
            "injector-webhook",
            rules("ClusterRole", "migrations-operator-injector")),
        permissions("clusterPermissions"));
    var controller = rules("Role", "migrator-controller");
    controller.addAll(rules("Role", "migrator-controller-certificate"));
    assertEquals(
        Map.of(
            "migrator-controller",
            controller,
            "injector-webhook",
            rules("Role", "injector-webhook")),
        permissions("permissions"));
  }

  @Test
  void theWebhookIsTheDeployedOne() {
    var bundled = csv.each("spec", "webhookdefinitions").findFirst().orElseThrow();
    var ours =
        one("MutatingWebhookConfiguration", "zz-migrations-operator-injector")
            .each("webhooks")
            .findFirst()
            .orElseThrow();
    for (var field :
        List.of(
            "admissionReviewVersions",
            "sideEffects",
            "timeoutSeconds",
            "failurePolicy",
            "matchPolicy",
            "reinvocationPolicy",
            "rules")) {
      assertEquals(ours.get(field), bundled.get(field), field);
    }
    var service = ours.getAsJsonObject("clientConfig").getAsJsonObject("service");
    assertEquals(service.get("path"), bundled.get("webhookPath"));
    assertEquals(service.get("port"), bundled.get("containerPort"));
    assertEquals(ours.get("name"), bundled.get("generateName"));
    assertEquals("injector-webhook", bundled.get("deploymentName").getAsString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "manifests/migrator-controller.service.yaml",
        "manifests/migrator-controller.poddisruptionbudget.yaml",
        "manifests/injector-webhook.poddisruptionbudget.yaml",
        "manifests/migrations-operator-view.clusterrole.yaml",
        "manifests/migrations-operator-edit.clusterrole.yaml"
      })
  void otherObjectsAreTheDeployedOnes(String file) {
    var bundled = read(file).getFirst();
    var ours = one(bundled.kind(), bundled.name());
    for (var part : Set.of("spec", "rules")) {
      assertEquals(ours.json().get(part), bundled.json().get(part));
    }
    // OLM decides where.
    assertEquals("", bundled.namespace());
  }

  @Test
  void whatTheLabelsPointAtIsThere() {
    var labels = Bundle.built().labels();
    for (var folder : List.of("bundle.manifests.v1", "bundle.metadata.v1", "test.config.v1")) {
      var path = labels.get("operators.operatorframework.io." + folder);
      assertTrue(Files.isDirectory(BUNDLE.resolve(path)), path);
    }
  }

  @Test
  void descriptorsNameFieldsOfTheDefinition() {
    var properties =
        Manifest.parse(KubeApi.crd())
            .getFirst()
            .each("spec", "versions")
            .findFirst()
            .orElseThrow()
            .getAsJsonObject("schema")
            .getAsJsonObject("openAPIV3Schema")
            .getAsJsonObject("properties");
    var owned = csv.each("spec", "customresourcedefinitions", "owned").findFirst().orElseThrow();
    for (var part : List.of("spec", "status")) {
      var fields = properties.getAsJsonObject(part).getAsJsonObject("properties").keySet();
      for (var descriptor : owned.getAsJsonArray(part + "Descriptors")) {
        var path = descriptor.getAsJsonObject().get("path").getAsString();
        assertTrue(fields.contains(path), part + "." + path);
      }
    }
  }

  private Stream<JsonObject> deployments() {
    return csv.each("spec", "install", "spec", "deployments");
  }

  private static Stream<JsonObject> containers(JsonObject deployment) {
    return deployment
        .getAsJsonObject("template")
        .getAsJsonObject("spec")
        .getAsJsonArray("containers")
        .asList()
        .stream()
        .map(JsonElement::getAsJsonObject);
  }

  private Map<String, JsonArray> permissions(String which) {
    return csv.each("spec", "install", "spec", which)
        .collect(
            Collectors.toMap(
                it -> it.get("serviceAccountName").getAsString(),
                it -> it.getAsJsonArray("rules")));
  }

  private JsonArray rules(String kind, String name) {
    return one(kind, name).at("rules").deepCopy().getAsJsonArray();
  }

  private Manifest one(String kind, String name) {
    return deployed.stream()
        .filter(it -> it.kind().equals(kind) && it.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new NoSuchElementException(kind + "/" + name));
  }

  private static List<Manifest> read(String file) {
    return Manifest.read(BUNDLE.resolve(file));
  }
}
