package net.coderanger.migrations.controller;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import net.coderanger.migrations.controller.core.Impure;
import org.junit.jupiter.api.Test;

/** Decide, then do: what decides can neither reach the API server nor answer a request. */
class ArchitectureTest {
  private static final String ROOT = "net.coderanger.migrations.controller";

  private static final ArchRule CORE_IS_PURE =
      noClasses()
          .that()
          .resideInAPackage("..controller.core..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.helidon..",
              "okhttp3..",
              "java.net.http..",
              "io.kubernetes.client.openapi.apis..",
              "io.kubernetes.client.util..",
              "io.kubernetes.client.informer..",
              "io.kubernetes.client.extended..",
              ROOT + ".shell..",
              ROOT + ".gate..");

  @Test
  void theCoreKnowsNoApiClientNoHttpAndNeitherShellNorGate() {
    var classes =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT + ".core");
    assertFalse(classes.isEmpty());
    CORE_IS_PURE.check(classes);
  }

  @Test
  void theCheckBites() {
    var offender = new ClassFileImporter().importClasses(Impure.class);
    assertTrue(CORE_IS_PURE.evaluate(offender).hasViolation());
  }
}
