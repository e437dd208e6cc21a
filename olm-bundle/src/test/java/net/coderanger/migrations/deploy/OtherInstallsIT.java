package net.coderanger.migrations.deploy;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.openapi.apis.CoreV1Api;
import java.nio.file.Path;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.kube.ServingTls;
import net.coderanger.migrations.kube.TlsSettings;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every other way of installing, on one real API server, each in a namespace of its own. */
class OtherInstallsIT {
  private static KubeApi kube;
  private static Kubectl kubectl;

  @BeforeAll
  static void start() {
    kube = KubeApi.bare();
    kubectl = new Kubectl(kube);
  }

  @AfterAll
  static void stop() throws Exception {
    kubectl.close();
    kube.close();
  }

  @Test
  void theOneFileOfARelease() throws Exception {
    apply(Files.readString(Path.of("target/install.yaml")));
  }

  /** Its definitions are those of cert-manager, without what we do not use. */
  @Test
  void certManager() throws Exception {
    var refused = kubectl.run("", "apply", "--server-side", "-k", "deploy/cert-manager");
    assertTrue(refused.output().contains("no matches for kind \"Certificate\""), refused::output);
    try (var crds = getClass().getResourceAsStream("/cert-manager/crds.yaml")) {
      apply(new String(crds.readAllBytes(), StandardCharsets.UTF_8));
    }
    kubectl.succeed("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s");
    kubectl.succeed("apply", "--server-side", "--validate=strict", "-k", "deploy/cert-manager");
    kubectl.succeed("get", "certificate/injector-webhook", "-n", "migrations-operator");
    var secrets =
        kubectl.run(
            "",
            "auth",
            "can-i",
            "create",
            "secrets",
            "-n",
            "migrations-operator",
            "--as=system:serviceaccount:migrations-operator:injector-webhook");
    assertTrue(secrets.output().lines().anyMatch("no"::equals), secrets::output);
  }

  @Test
  void theChartInAnotherNamespace() throws Exception {
    kubectl.succeed("create", "namespace", "by-helm");
    apply(text(Chart.rendered("by-helm", Map.of())));
  }

  /** Written to target/as-olm.yaml too, to be run on a cluster. */
  @Test
  void theBundleAsOlmInstallsIt() throws Exception {
    var namespace = "operators";
    kubectl.succeed("create", "namespace", namespace);
    var service = Olm.service("injector-webhook");
    var settings =
        new TlsSettings(
            TlsSettings.Mode.SELF_MANAGED,
            Path.of("/none"),
            namespace,
            "issued",
            List.of(service + "." + namespace, service + "." + namespace + ".svc"),
            Duration.ofSeconds(1),
            Duration.ofDays(730), // as OLM's
            Duration.ofDays(3650));
    try (var issuer = ServingTls.start(settings, kube.client())) {
      var issued =
          new CoreV1Api(kube.client())
              .readNamespacedSecret("issued", namespace)
              .execute()
              .getData();
      var olm =
          new Olm(
              namespace,
              new String(issued.get("tls.crt")),
              new String(issued.get("tls.key")),
              issuer.caBundle());
      var objects = text(olm.install(Bundle.built()));
      Files.writeString(Path.of("target/as-olm.yaml"), objects);
      apply(objects);
    }
    var hook =
        kubectl.succeed(
            "get",
            "deployment/injector-webhook",
            "-n",
            namespace,
            "-o=jsonpath={.spec.template.spec.containers[0].volumeMounts[*].mountPath}");
    assertTrue(hook.contains("/tmp/k8s-webhook-server/serving-certs"), hook);
  }

  private static void apply(String objects) throws Exception {
    var applied =
        kubectl.run(
            objects, "apply", "--server-side", "--force-conflicts", "--validate=strict", "-f-");
    assertEquals(0, applied.status(), applied::output);
    for (var line : applied.output().lines().toList()) {
      assertTrue(line.endsWith(" serverside-applied"), line); // without a warning
    }
  }

  private static String text(List<Manifest> objects) {
    return objects.stream().map(it -> it.json().toString()).collect(Collectors.joining("\n---\n"));
  }
}
