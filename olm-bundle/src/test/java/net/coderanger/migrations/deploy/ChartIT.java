package net.coderanger.migrations.deploy;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.marcnuri.helm.Helm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The Helm chart beside the overlays of kustomize; without a cluster. */
class ChartIT {
  @ParameterizedTest
  @CsvSource({
    "tls.mode, self-managed, deploy/default",
    "tls.mode, cert-manager, deploy/cert-manager",
    "namespaces[0], shop, deploy/namespaced"
  })
  void theChartRendersWhatTheOverlayHolds(String key, String value, String overlay)
      throws Exception {
    var rendered = Chart.rendered(Map.of(key, value));
    assertEquals(Manifest.byName(overlaid(overlay)), Manifest.byName(rendered));
  }

  /** So that the comparison above is known to bite. */
  @Test
  void anotherValueMakesAnotherObject() throws Exception {
    var rendered = Manifest.byName(Chart.rendered(Map.of("controller.replicas", 3)));
    var differing = new TreeSet<String>();
    Manifest.byName(overlaid("deploy/default"))
        .forEach(
            (name, object) -> {
              if (!object.equals(rendered.get(name))) {
                differing.add(name);
              }
            });
    assertEquals(Set.of("migrations-operator: Deployment/migrator-controller"), differing);
  }

  @Test
  void theCrdStaysWhenTheReleaseGoes() {
    var crd = only(Chart.rendered(Map.of()), "CustomResourceDefinition");
    assertEquals(
        "keep", crd.at("metadata", "annotations", "helm.sh/resource-policy").getAsString());
    assertTrue(
        Chart.rendered(Map.of("crds.enabled", false)).stream()
            .noneMatch(it -> it.kind().equals("CustomResourceDefinition")));
  }

  @Test
  void inAnotherNamespaceNothingNamesOurs() {
    for (var object : Chart.rendered("elsewhere", Map.of("tls.mode", "cert-manager"))) {
      assertNotEquals("migrations-operator", object.namespace(), object::toString);
      if (object.kind().equals("MutatingWebhookConfiguration")) {
        var text = object.json().toString();
        assertTrue(text.contains("\"values\":[\"elsewhere\",\"kube-system\"]"), text);
        assertTrue(text.contains("\"elsewhere/injector-webhook\""), text);
        assertTrue(text.contains("\"namespace\":\"elsewhere\""), text);
      }
    }
  }

  @Test
  void eachComponentHasAnImageOfItsOwn() {
    var digest = "sha256:" + "0".repeat(64);
    var rendered =
        Chart.rendered(
            Map.of(
                "image.registry", "mirror.example/a",
                "controller.image.tag", "v1",
                "injector.image.digest", digest,
                "waiter.image.tag", "v2"));
    var text = rendered.stream().map(it -> it.json().toString()).collect(Collectors.joining());
    assertTrue(text.contains("\"mirror.example/a/migrator-controller:v1\""));
    assertTrue(text.contains("\"mirror.example/a/injector-webhook@" + digest + "\""));
    assertTrue(text.contains("\"mirror.example/a/waiter:v2\""));
    assertFalse(text.contains("ghcr.io"));
  }

  @Test
  void everySwitchTakesItsObjectsAway() {
    var off = Stream.of("required", "userRoles", "networkPolicy", "podDisruptionBudget", "crds");
    var values = off.collect(Collectors.toMap(it -> it + ".enabled", _ -> false));
    var kinds = Chart.rendered(values).stream().map(Manifest::kind).collect(Collectors.toSet());
    assertTrue(
        Collections.disjoint(
            kinds,
            Set.of(
                "ValidatingAdmissionPolicy",
                "ValidatingAdmissionPolicyBinding",
                "NetworkPolicy",
                "PodDisruptionBudget",
                "CustomResourceDefinition")),
        kinds::toString);
  }

  @ParameterizedTest
  @CsvSource({
    "tls.mode, guess, tls/mode",
    "contoller.replicas, 3, contoller",
    "controller.replicas, many, controller/replicas",
    "waiter.image.digest, latest, waiter/image/digest",
    "injector.env.poll, x, poll",
    "namespaces[0], Shop, namespaces/0",
    "namespaces[0], migrations-operator, pods of migrations-operator never wait",
    "namespaces[0], kube-system, pods of kube-system never wait",
  })
  void aBadValueIsRefusedByItsName(String key, String value, String named) {
    var refused =
        assertThrows(IllegalStateException.class, () -> Chart.rendered(Map.of(key, value)));
    assertTrue(refused.getMessage().contains(named), refused::getMessage);
  }

  /** A hint only, in deploy/ a comment: some clusters forbid it outside kube-system. */
  @Test
  void aServiceMayBeGivenAPriority() {
    var rendered = Chart.rendered(Map.of("injector.priorityClassName", "system-cluster-critical"));
    assertEquals(
        List.of("injector-webhook"),
        rendered.stream()
            .filter(it -> it.kind().equals("Deployment"))
            .filter(it -> it.at("spec", "template", "spec").toString().contains("cluster-critical"))
            .map(Manifest::name)
            .toList());
  }

  @Test
  void helmFindsNothingWrong() {
    var lint = new Helm(Chart.FOLDER).lint().strict().quiet().call();
    assertFalse(lint.isFailed(), () -> lint.getMessages().toString());
  }

  @Test
  void theReadmeTellsEveryValueAsValuesAndSchemaDo() throws IOException {
    var schema =
        JsonParser.parseString(Files.readString(Chart.FOLDER.resolve("values.schema.json")))
            .getAsJsonObject();
    var values = Manifest.read(Chart.FOLDER.resolve("values.yaml")).getFirst().json();
    var rows = new ArrayList<String>();
    tell("", values, schema, schema, rows);
    var readme = Files.readString(Chart.FOLDER.resolve("README.md"));
    assertEquals(
        String.join("\n", rows),
        readme.lines().filter(it -> it.startsWith("| `")).collect(Collectors.joining("\n")));
  }

  private static void tell(
      String path, JsonElement value, JsonObject schema, JsonObject root, List<String> rows) {
    var here = resolved(schema, root);
    if (here.has("properties")) {
      var properties = here.getAsJsonObject("properties");
      for (var member : value.getAsJsonObject().entrySet()) {
        assertTrue(properties.has(member.getKey()), path + member.getKey() + " is in no schema");
        tell(
            path + member.getKey() + ".",
            member.getValue(),
            properties.getAsJsonObject(member.getKey()),
            root,
            rows);
      }
      return;
    }
    var gson = new GsonBuilder().disableHtmlEscaping().create();
    rows.add(
        "| `%s` | `%s` | %s |"
            .formatted(
                path.substring(0, path.length() - 1),
                gson.toJson(value),
                here.get("description").getAsString()));
  }

  private static JsonObject resolved(JsonObject schema, JsonObject root) {
    if (!schema.has("$ref")) {
      return schema;
    }
    var name = schema.get("$ref").getAsString().replace("#/$defs/", "");
    return root.getAsJsonObject("$defs").getAsJsonObject(name);
  }

  /** Without the Namespace, which is Helm's --create-namespace to make. */
  private static List<Manifest> overlaid(String overlay) throws Exception {
    return Kubectl.kustomize(overlay).stream()
        .filter(it -> !it.kind().equals("Namespace"))
        .toList();
  }

  private static Manifest only(List<Manifest> manifests, String kind) {
    var found = manifests.stream().filter(it -> it.kind().equals(kind)).toList();
    assertEquals(1, found.size(), kind);
    return found.getFirst();
  }
}
