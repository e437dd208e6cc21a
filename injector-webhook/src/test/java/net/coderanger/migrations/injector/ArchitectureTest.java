package net.coderanger.migrations.injector;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.*;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.*;
import static org.junit.jupiter.api.Assertions.*;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
  private static final String ROOT = "net.coderanger.migrations";
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(ROOT + ".injector");

  /**
   * Files, sockets, threads and clocks are java.io and beyond; java.util is enough for the core.
   */
  private static final String[] PURE = {
    "java.lang..",
    "java.math..",
    "java.util..",
    "jakarta.json..",
    "io.kubernetes.client.custom..", // quantities
    ROOT + ".api",
    ROOT + ".injector.core"
  };

  @Test
  void theCoreKnowsNoClientAndNoHttp() {
    pure("core").check(CLASSES);
  }

  @Test
  void theRuleBites() {
    assertThrows(AssertionError.class, () -> pure("shell").check(CLASSES));
  }

  @Test
  void servicesDoNotImportEachOther() {
    noClasses()
        .should()
        .dependOnClassesThat(
            resideInAnyPackage(ROOT + "..")
                .and(
                    not(
                        resideInAnyPackage(
                            ROOT + ".injector..", ROOT + ".api..", ROOT + ".kube.."))))
        .check(CLASSES);
  }

  private static ArchRule pure(String part) {
    return classes()
        .that()
        .resideInAPackage(ROOT + ".injector." + part)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(PURE);
  }
}
