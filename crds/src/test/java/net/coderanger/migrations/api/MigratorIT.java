package net.coderanger.migrations.api;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.kubernetes.client.custom.V1Patch;
import io.kubernetes.client.openapi.JSON;
import io.kubernetes.client.util.generic.KubernetesApiResponse;
import io.kubernetes.client.util.generic.dynamic.DynamicKubernetesObject;
import io.kubernetes.client.util.generic.options.PatchOptions;
import net.coderanger.migrations.api.v1beta1.Migrator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class MigratorIT {
  private static KubeApi kube;

  @BeforeAll
  static void start() {
    kube = KubeApi.withMigrators();
  }

  @AfterAll
  static void stop() {
    kube.close();
  }

  @Test
  void anObjectOfEveryFieldSurvivesTheServerAndTheModels() {
    var full = EveryField.migrator();
    var created = create(full.deepCopy()).getObject();
    assertEquals(full.get("spec"), created.getRaw().get("spec"));
    var written =
        kube.migrators()
            .patch(
                "default",
                "full/status",
                V1Patch.PATCH_FORMAT_JSON_MERGE_PATCH,
                new V1Patch("{\"status\":" + full.get("status") + "}"),
                new PatchOptions());
    assertTrue(written.isSuccess(), () -> written.getStatus().getMessage());
    var raw = kube.migrators().get("default", "full").getObject().getRaw();
    assertEquals(full.get("status"), raw.get("status"));
    var typed = JSON.getGson().fromJson(raw, Migrator.class);
    var back = JSON.getGson().toJsonTree(typed).getAsJsonObject();
    assertEquals(full.get("spec"), back.get("spec"));
    assertEquals(full.get("status"), back.get("status"));
  }

  @Test
  void everyFieldOfTheSchemaIsDescribed() {
    var missing = new ArrayList<String>();
    var schema = new org.yaml.snakeyaml.Yaml().<Map<String, Object>>load(KubeApi.crd());
    var json = JsonParser.parseString(JSON.getGson().toJson(schema)).getAsJsonObject();
    var root =
        json.getAsJsonObject("spec")
            .getAsJsonArray("versions")
            .get(0)
            .getAsJsonObject()
            .getAsJsonObject("schema")
            .getAsJsonObject("openAPIV3Schema");
    EveryField.undescribed("", root, missing);
    assertEquals(List.of("metadata"), missing);
  }

  @Test
  void anExpressionWithoutItsValuesIsRefusedWithTheField() {
    var refused =
        create(
            """
            {"metadata":{"name":"bad"},"spec":{"selector":{"matchExpressions":[{"key":"a","operator":"In"}]}}}
            """);
    assertFalse(refused.isSuccess());
    var message = refused.getStatus().getMessage();
    assertTrue(message.contains("spec.selector.matchExpressions[0]"), message);
    assertTrue(message.contains("values are required for In and NotIn"), message);
  }

  @Test
  void anImageWithABlankIsRefusedWithTheField() {
    var refused = create("{\"metadata\":{\"name\":\"bad\"},\"spec\":{\"image\":\"a b\"}}");
    assertFalse(refused.isSuccess());
    assertTrue(refused.getStatus().getMessage().contains("spec.image"));
  }

  @Test
  void aMigratorWithoutASelectorIsAccepted() {
    assertTrue(create("{\"metadata\":{\"name\":\"empty\"}}").isSuccess());
  }

  private static KubernetesApiResponse<DynamicKubernetesObject> create(String json) {
    return create(JsonParser.parseString(json).getAsJsonObject());
  }

  private static KubernetesApiResponse<DynamicKubernetesObject> create(JsonObject migrator) {
    migrator.addProperty("apiVersion", Vocabulary.API_VERSION);
    migrator.addProperty("kind", Vocabulary.KIND);
    migrator.getAsJsonObject("metadata").addProperty("namespace", "default");
    return kube.migrators().create(new DynamicKubernetesObject(migrator));
  }
}
