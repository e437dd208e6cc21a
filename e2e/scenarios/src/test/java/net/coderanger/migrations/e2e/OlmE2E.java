package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonParser;
import net.coderanger.migrations.api.Scratch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The bundle's ClusterServiceVersion, carried out by OLM itself. */
@EnabledIfSystemProperty(
    named = "olm",
    matches = "installed",
    disabledReason = "-Dolm=installed runs it, in a cluster where OLM's operator is installed")
class OlmE2E extends InsteadOfTheDefault {
  private static final Path BUNDLE = Lab.root().resolve("olm-bundle/target/classes");
  private static final String CSVS =
      "/apis/operators.coreos.com/v1alpha1/namespaces/operators/clusterserviceversions";

  @Test
  void olmInstallsTheBundleAndTheMainJobIsDone() throws Exception {
    var manifests = BUNDLE.resolve("manifests");
    assertTrue(
        Files.exists(manifests),
        manifests + " is missing: mvn verify -pl olm-bundle -am writes it");
    lab.kubectl("", "create", "namespace", "operators");
    try (var shop = new Shop(lab)) {
      lab.create(
          "/apis/operators.coreos.com/v1/namespaces/operators/operatorgroups",
          """
          {"apiVersion":"operators.coreos.com/v1","kind":"OperatorGroup",
           "metadata":{"name":"all-namespaces"},"spec":{}}
          """);
      // As the catalog operator does of an InstallPlan: rights, the definition, then the CSV.
      for (var object : rights()) {
        var file = Scratch.file("rights", ".json");
        lab.kubectl("", "apply", "--server-side", "-f", Files.writeString(file, object).toString());
      }
      try (var files = Files.list(manifests)) {
        for (var file : files.sorted(Comparator.comparing(OlmE2E::isServiceVersion)).toList()) {
          lab.kubectl("", "-n", "operators", "apply", "--server-side", "-f", file.toString());
        }
      }
      lab.awaitThat(
          "OLM says Succeeded",
          () -> {
            var versions = lab.list(CSVS);
            return versions.size() == 1
                && versions.getFirst().has("status")
                && versions
                    .getFirst()
                    .getAsJsonObject("status")
                    .get("phase")
                    .getAsString()
                    .equals("Succeeded");
          });
      lab.awaitRolledOut("operators");
      theMainJobIsDone(shop);
    } finally {
      lab.kubectl(
          "", "-n", "operators", "delete", "clusterserviceversions", "--all", "--timeout=120s");
      lab.kubectl("", "delete", "namespace", "operators", "--timeout=120s");
    }
  }

  /**
   * ServiceAccounts, roles and bindings of the CSV; OLM's operator finds out whether they suffice.
   */
  private static List<String> rights() throws IOException {
    try (var lines = Files.lines(Lab.root().resolve("olm-bundle/target/as-olm.yaml"))) {
      return lines
          .filter(line -> !line.equals("---"))
          .filter(
              object ->
                  JsonParser.parseString(object)
                      .getAsJsonObject()
                      .get("kind")
                      .getAsString()
                      .matches("ServiceAccount|.*Role|.*RoleBinding"))
          .toList();
    }
  }

  private static boolean isServiceVersion(Path file) {
    return file.toString().endsWith(".clusterserviceversion.yaml");
  }
}
