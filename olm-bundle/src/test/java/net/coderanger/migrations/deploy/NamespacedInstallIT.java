package net.coderanger.migrations.deploy;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import net.coderanger.migrations.api.KubeApi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** deploy/namespaced for two namespaces, as deploy/README.md says, on a real API server. */
class NamespacedInstallIT {
  private static final String CONTROLLER =
      "system:serviceaccount:migrations-operator:migrator-controller";
  private static final String INJECTOR =
      "system:serviceaccount:migrations-operator:injector-webhook";

  @TempDir private static Path folder;

  private static KubeApi kube;
  private static Kubectl kubectl;

  @BeforeAll
  static void install() throws Exception {
    kube = KubeApi.bare();
    kubectl = new Kubectl(kube);
    copyFor(List.of("shop", "billing"));
    // Nothing is applied by halves without a word where the namespaces are missing.
    var early = kubectl.run("", "apply", "--server-side", "-k", folder.toString());
    assertNotEquals(0, early.status());
    assertTrue(early.output().contains("namespaces \"shop\" not found"), early::output);
    kubectl.succeed("create", "namespace", "shop");
    kubectl.succeed("create", "namespace", "billing");
    var applied =
        kubectl.succeed("apply", "--server-side", "--validate=strict", "-k", folder.toString());
    for (var line : applied.lines().toList()) {
      assertTrue(line.endsWith(" serverside-applied"), line); // without a warning
    }
  }

  @AfterAll
  static void stop() throws Exception {
    kubectl.close();
    kube.close();
  }

  /** What deploy/README.md has people do. */
  private static void copyFor(List<String> namespaces) throws IOException {
    var here = folder.toRealPath();
    var source = Manifest.ROOT.resolve("deploy/namespaced");
    var readme = Files.readString(Manifest.ROOT.resolve("deploy/README.md"));
    var overlay =
        Stream.of(readme.split("```"))
            .filter(block -> block.startsWith("yaml") && block.contains("KUBERNETES_NAMESPACES"))
            .findFirst()
            .orElseThrow()
            .substring("yaml".length());
    assertTrue(overlay.contains(String.join(",", namespaces)), overlay);
    Files.writeString(
        here.resolve("kustomization.yaml"),
        overlay.replace("../namespaced", here.relativize(source).toString()));
    for (var namespace : namespaces) {
      var rights = Files.createDirectory(here.resolve(namespace));
      Files.writeString(
          rights.resolve("kustomization.yaml"),
          Files.readString(source.resolve("shop/kustomization.yaml"))
              .replace("shop", namespace)
              .replace("../rights", rights.relativize(source.resolve("rights")).toString()));
    }
  }

  @Test
  void itIsWhatTheChartRendersForTheSameNamespaces() throws Exception {
    assertEquals(
        Manifest.byName(
            Kubectl.kustomize(folder.toString()).stream()
                .filter(it -> !it.kind().equals("Namespace"))
                .toList()),
        Manifest.byName(
            Chart.rendered(Map.of("namespaces[0]", "shop", "namespaces[1]", "billing"))));
  }

  @ParameterizedTest
  @CsvSource({
    CONTROLLER + ", list, pods, shop, yes",
    CONTROLLER + ", create, jobs.batch, billing, yes",
    CONTROLLER + ", patch, migrators.migrations.coderanger.net/status, billing, yes",
    CONTROLLER + ", list, pods, default, no",
    CONTROLLER + ", list, pods, '', no",
    CONTROLLER + ", create, jobs.batch, '', no",
    CONTROLLER + ", list, migrators.migrations.coderanger.net, '', no",
    CONTROLLER + ", create, tokenreviews.authentication.k8s.io, '', yes",
    INJECTOR + ", list, migrators.migrations.coderanger.net, shop, yes",
    INJECTOR + ", watch, migrators.migrations.coderanger.net, billing, yes",
    INJECTOR + ", list, migrators.migrations.coderanger.net, '', no",
    INJECTOR + ", list, pods, shop, no",
  })
  void rightsEndAtTheListedNamespaces(
      String who, String verb, String what, String where, String answer) throws Exception {
    assertEquals(answer, kubectl.canI(who, verb, what, where));
  }

  /** With the webhook made mandatory and nobody answering, who is asked for is refused. */
  @Test
  void webhookAndPolicyAreAskedInTheListedNamespacesOnly() throws Exception {
    var pod =
        """
        apiVersion: v1
        kind: Pod
        metadata: {generateName: pod-, annotations: {migrations.coderanger.net/required: "true"}}
        spec: {initContainers: [%s], containers: [{name: app, image: app}]}
        """;
    var ungated = pod.formatted("");
    for (var namespace : List.of("shop", "billing")) {
      await()
          .atMost(Duration.ofSeconds(30)) // until the policy is in force
          .untilAsserted(
              () ->
                  assertTrue(
                      kubectl
                          .run(ungated, "create", "--dry-run=server", "-n", namespace, "-f-")
                          .output()
                          .contains("no migrators found matching pod")));
    }
    kubectl.succeed(
        "patch",
        "mutatingwebhookconfiguration/zz-migrations-operator-injector",
        "--type=json",
        "-p",
        "[{\"op\":\"replace\",\"path\":\"/webhooks/0/failurePolicy\",\"value\":\"Fail\"}]");
    var gated = pod.formatted("{name: migrate-wait-shop, image: w}");
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () ->
                assertTrue(
                    kubectl
                        .run(gated, "create", "-n", "shop", "-f-")
                        .output()
                        .contains("failed calling webhook")));
    var elsewhere = kubectl.run(ungated, "create", "-n", "default", "-f-");
    assertEquals(0, elsewhere.status(), elsewhere::output);
  }
}
