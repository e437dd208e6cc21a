package net.coderanger.migrations.deploy;

import static net.coderanger.migrations.deploy.BundleRules.*;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Our bundle keeps every rule; broken on purpose, it is caught at each. */
class BundleRulesTest {
  private interface Breach extends Consumer<Bundle> {}

  private static final Map<BundleRules, List<Breach>> BREACHES =
      Map.ofEntries(
          of(
              HAS_ONLY_FIELDS_THAT_OLM_KNOWS,
              it -> webhook(it).add("namespaceSelector", new JsonObject()),
              it -> webhook(it).add("matchConditions", new JsonArray()),
              it -> deployment(it).getAsJsonObject("spec").addProperty("replica", 2)),
          of(
              HAS_ALL_FIELDS_THAT_OLM_REQUIRES,
              it -> first(owned(it), "resources").remove("name"),
              it -> first(spec(it), "installModes").remove("type")),
          of(
              NAMES_ITS_PROVIDER,
              it -> spec(it).remove("provider"),
              it -> spec(it).getAsJsonObject("provider").addProperty("name", "")),
          of(
              HAS_A_SEMANTIC_VERSION,
              it -> spec(it).remove("version"),
              it -> spec(it).addProperty("version", "0.1")),
          of(
              IS_NAMED_BY_ITS_VERSION,
              it -> metadata(it).addProperty("name", "migrations-operator")),
          of(
              HAS_AN_ICON_THAT_IS_SVG_OR_PNG,
              it -> spec(it).remove("icon"),
              it -> first(spec(it), "icon").addProperty("mediatype", "image/jpeg"),
              it -> first(spec(it), "icon").addProperty("mediatype", "image/png")),
          of(
              HAS_A_CAPABILITY_LEVEL_OF_THE_FIVE,
              it -> annotate(it, "capabilities", "Basic"),
              it -> metadata(it).getAsJsonObject("annotations").remove("capabilities")),
          of(
              CLAIMS_NO_MORE_THAN_SEAMLESS_UPGRADES,
              it -> annotate(it, "capabilities", "Auto Pilot")),
          of(
              HAS_CATEGORIES_OF_THE_CATALOGUE,
              it -> annotate(it, "categories", "Database, Migrations")),
          of(
              HAS_A_STRICT_LEAST_KUBERNETES_VERSION,
              it -> spec(it).addProperty("minKubeVersion", "1.30"),
              it -> spec(it).addProperty("minKubeVersion", "v1.30.0")),
          of(
              OWNS_THE_DEFINITIONS_THAT_IT_BUNDLES,
              it -> it.others().removeIf(other -> other.kind().startsWith("CustomResource")),
              it -> owned(it).addProperty("version", "v1")),
          of(
              HAS_EXAMPLES_OF_WHAT_IT_OWNS,
              it -> annotate(it, "alm-examples", "[{\"kind\": \"Other\"}]"),
              it -> annotate(it, "alm-examples", "[]"),
              it -> annotate(it, "alm-examples", "{")),
          of(
              BUNDLES_NO_SERVICE_ACCOUNT_TWICE,
              it ->
                  it.others()
                      .addAll(
                          Manifest.parse(
                              "{kind: ServiceAccount, metadata: {name: injector-webhook}}"))),
          of(
              HAS_A_DEPLOYMENT_BEHIND_EACH_WEBHOOK,
              it -> webhook(it).addProperty("deploymentName", "injector")),
          of(
              SERVES_THE_WEBHOOK_WITH_THE_CERTIFICATE_OF_OLM,
              it -> variable(it, "TLS_MODE", "self-managed"),
              it -> variable(it, "TLS_DIRECTORY", "/certificates")),
          of(
              LEAVES_THE_VOLUMES_OF_OLM_TO_OLM,
              it -> first(podSpec(it), "volumes").addProperty("name", "webhook-cert")),
          of(
              RELATES_ALL_IMAGES,
              it -> spec(it).getAsJsonArray("relatedImages").remove(2),
              it -> first(spec(it), "relatedImages").addProperty("image", "other")),
          of(
              PINS_THE_IMAGES_OF_A_RELEASE,
              it -> first(spec(it), "relatedImages").addProperty("image", "ghcr.io/a/b:0.1.0"),
              it -> variable(it, "INJECTOR_WAITER_IMAGE", "ghcr.io/a/b:0.1.0")),
          of(
              IS_LABELLED_AS_ITS_METADATA_SAY,
              it -> it.labels().remove(it.labels().keySet().iterator().next())),
          of(
              STAYS_A_CANDIDATE_UNTIL_1_0,
              it ->
                  it.annotations()
                      .put("operators.operatorframework.io.bundle.channels.v1", "stable")),
          of(
              SUPPORTS_AN_INSTALL_MODE,
              it ->
                  spec(it)
                      .getAsJsonArray("installModes")
                      .forEach(mode -> mode.getAsJsonObject().addProperty("supported", false))));

  /** As the release workflow pushes it: with a digest, made up here, for each image. */
  private static Bundle released;

  @BeforeAll
  static void release(@TempDir Path folder) throws Exception {
    for (var part : List.of("manifests", "metadata")) {
      Files.createDirectories(folder.resolve(part));
      try (var files = Files.list(Bundle.FOLDER.resolve(part))) {
        for (var file : files.toList()) {
          Files.copy(file, folder.resolve(part).resolve(file.getFileName()));
        }
      }
    }
    var digests = Files.createDirectory(folder.resolve("digests"));
    Files.writeString(digests.resolve("migrator-controller"), "sha256:" + "1".repeat(64) + "\n");
    Files.writeString(digests.resolve("injector-webhook"), "sha256:" + "2".repeat(64) + "\n");
    assertEquals(1, pin(folder), "without the waiter's");
    Files.writeString(digests.resolve("waiter"), "sha256:" + "3".repeat(64) + "\n");
    assertEquals(0, pin(folder));
    released = Bundle.read(folder);
  }

  private static int pin(Path folder) throws Exception {
    return new ProcessBuilder("./pin.sh", folder.toString(), folder.resolve("digests").toString())
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("log").toFile())
        .start()
        .waitFor();
  }

  @ParameterizedTest
  @EnumSource
  void theBundleKeeps(BundleRules rule) {
    assertEquals(List.of(), rule.violations(released).toList());
  }

  @ParameterizedTest
  @EnumSource
  void aBreachIsCaught(BundleRules rule) {
    for (var breach : BREACHES.get(rule)) {
      var bundle = released.copy();
      breach.accept(bundle);
      assertNotEquals(List.of(), rule.violations(bundle).toList());
    }
  }

  private static Map.Entry<BundleRules, List<Breach>> of(BundleRules rule, Breach... breaches) {
    return Map.entry(rule, List.of(breaches));
  }

  private static JsonObject spec(Bundle bundle) {
    return bundle.csv().at("spec").getAsJsonObject();
  }

  private static JsonObject metadata(Bundle bundle) {
    return bundle.csv().at("metadata").getAsJsonObject();
  }

  private static void annotate(Bundle bundle, String key, String value) {
    metadata(bundle).getAsJsonObject("annotations").addProperty(key, value);
  }

  private static JsonObject first(JsonObject object, String member) {
    return object.getAsJsonArray(member).get(0).getAsJsonObject();
  }

  private static JsonObject webhook(Bundle bundle) {
    return first(spec(bundle), "webhookdefinitions");
  }

  private static JsonObject owned(Bundle bundle) {
    return first(spec(bundle).getAsJsonObject("customresourcedefinitions"), "owned");
  }

  private static JsonObject deployment(Bundle bundle) {
    return bundle
        .deployments()
        .filter(it -> it.get("name").getAsString().equals("injector-webhook"))
        .findFirst()
        .orElseThrow();
  }

  private static JsonObject podSpec(Bundle bundle) {
    return deployment(bundle)
        .getAsJsonObject("spec")
        .getAsJsonObject("template")
        .getAsJsonObject("spec");
  }

  private static void variable(Bundle bundle, String name, String value) {
    var variables = first(podSpec(bundle), "containers").getAsJsonArray("env");
    variables.asList().removeIf(it -> it.getAsJsonObject().get("name").getAsString().equals(name));
    variables.add(
        JsonParser.parseString("{\"name\": \"%s\", \"value\": \"%s\"}".formatted(name, value)));
  }
}
