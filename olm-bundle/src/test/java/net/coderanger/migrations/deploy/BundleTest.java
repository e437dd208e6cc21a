package net.coderanger.migrations.deploy;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.kubernetes.client.openapi.models.V1Deployment;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Vocabulary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.Yaml;

/** The bundle as the build puts it together, beside deploy/. */
class BundleTest {
  private static final String VERSION = System.getProperty("project.version");
  private static final Path BUNDLE = Path.of("target/classes");
  private static final Set<String> CAPABILITIES =
      Set.of("Basic Install", "Seamless Upgrades", "Full Lifecycle", "Deep Insights", "Auto Pilot");
  private static final Set<String> CATEGORIES = Set.of("Database", "Developer Tools");

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
    assertTrue(csv.at("spec", "minKubeVersion").getAsString().matches("\\d+\\.\\d+\\.\\d+"));
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
    assertEquals(
        Map.of(
            "migrator-controller", rules("ClusterRole", "migrations-operator-controller"),
            "injector-webhook", rules("ClusterRole", "migrations-operator-injector")),
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
  void relatedImagesAreAllThatRun() {
    var images = new TreeSet<String>();
    deployments()
        .flatMap(it -> containers(it.getAsJsonObject("spec")))
        .forEach(
            container -> {
              images.add(container.get("image").getAsString());
              Optional.ofNullable(
                      DeploymentsTest.environment(container).get("INJECTOR_WAITER_IMAGE"))
                  .ifPresent(images::add);
            });
    assertEquals(3, images.size());
    assertEquals(
        images,
        csv.each("spec", "relatedImages")
            .map(it -> it.get("image").getAsString())
            .collect(Collectors.toCollection(TreeSet::new)));
  }

  @Test
  void whatACatalogueAsksFor() {
    var annotations = csv.at("metadata", "annotations").getAsJsonObject();
    assertTrue(CAPABILITIES.contains(annotations.get("capabilities").getAsString()));
    for (var category : annotations.get("categories").getAsString().split(", ")) {
      assertTrue(CATEGORIES.contains(category), category);
    }
    assertFalse(csv.at("spec", "provider", "name").getAsString().isBlank());
    var icon = csv.each("spec", "icon").findFirst().orElseThrow();
    assertEquals("image/svg+xml", icon.get("mediatype").getAsString());
    var svg = new String(Base64.getDecoder().decode(icon.get("base64data").getAsString()));
    assertTrue(svg.startsWith("<svg "), svg);
    for (var example :
        JsonParser.parseString(annotations.get("alm-examples").getAsString()).getAsJsonArray()) {
      assertEquals(Vocabulary.KIND, example.getAsJsonObject().get("kind").getAsString());
      assertEquals(
          Vocabulary.API_VERSION, example.getAsJsonObject().get("apiVersion").getAsString());
    }
    assertEquals(
        List.of("AllNamespaces"),
        csv.each("spec", "installModes")
            .filter(it -> it.get("supported").getAsBoolean())
            .map(it -> it.get("type").getAsString())
            .toList());
  }

  @Test
  void theImagesLabelsAreTheAnnotations() throws IOException {
    Map<String, Map<String, String>> metadata =
        new Yaml().load(Files.readString(BUNDLE.resolve("metadata/annotations.yaml")));
    var labels =
        Files.readString(Path.of("bundle.Dockerfile"))
            .lines()
            .filter(line -> line.startsWith("LABEL "))
            .map(line -> line.substring("LABEL ".length()).split("="))
            .collect(Collectors.toMap(label -> label[0], label -> label[1]));
    assertEquals(metadata.get("annotations"), labels);
    for (var folder : List.of("manifests.v1", "metadata.v1")) {
      var path = labels.get("operators.operatorframework.io.bundle." + folder);
      assertTrue(Files.isDirectory(BUNDLE.resolve(path)), path);
    }
    assertTrue(
        Files.exists(
            BUNDLE
                .resolve(labels.get("operators.operatorframework.io.test.config.v1"))
                .resolve("config.yaml")));
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
