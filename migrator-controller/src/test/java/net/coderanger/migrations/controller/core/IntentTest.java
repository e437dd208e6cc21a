package net.coderanger.migrations.controller.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import io.kubernetes.client.openapi.models.V1EnvVar;
import io.kubernetes.client.openapi.models.V1LabelSelector;
import io.kubernetes.client.openapi.models.V1LabelSelectorRequirement;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import net.coderanger.migrations.api.v1beta1.Migrator;
import net.coderanger.migrations.api.v1beta1.MigratorSpec;
import org.junit.jupiter.api.Test;

class IntentTest {
  private static Intent of(MigratorSpec spec) {
    return Intent.of(
        new Migrator().metadata(new V1ObjectMeta().namespace("ns").name("shop")).spec(spec));
  }

  @Test
  void absentFieldsHaveTheirDocumentedDefaults() {
    var intent = of(null);
    assertFalse(intent.suspend());
    assertEquals(3, intent.backoffLimit());
    assertEquals(1, intent.successfulJobsHistoryLimit());
    assertEquals(1, intent.failedJobsHistoryLimit());
    assertFalse(intent.selector().test(Map.of()));
    assertTrue(intent.templateSelector().test(Map.of("any", "thing")));
  }

  @Test
  void emptyTextIsAsGoodAsAbsent() {
    var intent = of(new MigratorSpec().container("").image(""));
    assertEquals(Optional.empty(), intent.container());
    assertEquals("shop:1", intent.migrationImage("shop:1"));
  }

  @Test
  void whatDecidesWhichMigrationIsRunChangesTheFingerprint() {
    List<MigratorSpec> specs =
        List.of(
            new MigratorSpec(),
            new MigratorSpec().container("a"),
            new MigratorSpec().image("a"),
            new MigratorSpec().command(List.of()),
            new MigratorSpec().command(List.of("a")),
            new MigratorSpec().args(List.of("a")),
            new MigratorSpec().env(List.of(new V1EnvVar().name("a").value("1"))),
            new MigratorSpec().serviceAccountName("a"));
    assertEquals(specs.size(), specs.stream().map(spec -> of(spec).specHash()).distinct().count());
  }

  @Test
  void whatOnlyBoundsItDoesNot() {
    assertEquals(
        of(new MigratorSpec()).specHash(),
        of(new MigratorSpec()
                .suspend(true)
                .backoffLimit(9)
                .activeDeadlineSeconds(9L)
                .successfulJobsHistoryLimit(9)
                .failedJobsHistoryLimit(9))
            .specHash());
    assertNotEquals(
        of(new MigratorSpec()).specHash(), of(new MigratorSpec().image("a")).specHash());
  }

  @Test
  void aSelectorThatIsNoneSelectsNothingAndIsToldInConditionAndGate() {
    var scene = new Scene();
    scene.spec.setSelector(
        new V1LabelSelector()
            .addMatchExpressionsItem(new V1LabelSelectorRequirement().key("app").operator("Near")));
    var pod = scene.waiting("a", Scene.replicaSet("web", 1, "shop:1"));
    var decision = scene.decide();
    assertEquals("InvalidSpec", Scene.reason(decision));
    assertEquals("True", Scene.condition(decision.status(), "Stalled").getStatus());
    assertTrue(Scene.message(decision).startsWith("spec.selector: "));
    assertEquals(
        "InvalidSpec", assertInstanceOf(Verdict.Waiting.class, scene.verdict(pod)).reason());
  }
}
