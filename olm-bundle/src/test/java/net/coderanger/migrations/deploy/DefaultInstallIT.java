package net.coderanger.migrations.deploy;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.apis.CoreV1Api;
import java.nio.file.Path;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.kube.ServingTls;
import net.coderanger.migrations.kube.TlsSettings;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** deploy/default on a real API server, by the command that installs it. */
class DefaultInstallIT {
  private static final String CONTROLLER =
      "system:serviceaccount:migrations-operator:migrator-controller";
  private static final String INJECTOR =
      "system:serviceaccount:migrations-operator:injector-webhook";

  private static KubeApi kube;
  private static Kubectl kubectl;
  private static String installed;

  @BeforeAll
  static void install() throws Exception {
    kube = KubeApi.bare();
    kubectl = new Kubectl(kube);
    installed =
        kubectl.succeed("apply", "--server-side", "--validate=strict", "-k", "deploy/default");
  }

  @AfterAll
  static void stop() throws Exception {
    kubectl.close();
    kube.close();
  }

  @Test
  void everyObjectIsAcceptedWithoutAWarning() throws Exception {
    var objects = Manifest.parse(kubectl.succeed("kustomize", "deploy/default"));
    assertEquals(Manifest.deployed().size() + 1, objects.size(), "and the CRD");
    var lines = installed.lines().toList();
    assertEquals(objects.size(), lines.size(), installed);
    for (var line : lines) {
      assertTrue(line.endsWith(" serverside-applied"), line);
    }
  }

  @Test
  void anInstallationIsRepeatable() throws Exception {
    var before = kubectl.succeed("get", "clusterroles", "-o=name");
    kubectl.succeed("apply", "--server-side", "--validate=strict", "-k", "deploy/default");
    assertEquals(before, kubectl.succeed("get", "clusterroles", "-o=name"));
  }

  /** The CA that the injector has written is not ours to take away. */
  @Test
  void anotherInstallationLeavesTheCaBundle() throws Exception {
    var patch =
        "[{'op':'add','path':'/webhooks/0/clientConfig/caBundle','value':'%s'}]"
            .formatted(Base64.getEncoder().encodeToString(certificate().getBytes()))
            .replace('\'', '"');
    var name = "mutatingwebhookconfiguration/zz-migrations-operator-injector";
    kubectl.succeed("patch", name, "--type=json", "-p", patch);
    kubectl.succeed("apply", "--server-side", "-k", "deploy/default");
    assertFalse(
        kubectl.succeed("get", name, "-o=jsonpath={.webhooks[0].clientConfig.caBundle}").isEmpty());
  }

  @Test
  void aRequiredPodIsRefusedUnlessItWaits() throws Exception {
    var required = "migrations.coderanger.net/required: 'true'";
    await()
        .atMost(Duration.ofSeconds(30)) // until the policy is in force
        .untilAsserted(() -> assertNotEquals(0, create("default", required, "").status()));
    var refused = create("default", required, "").output();
    assertTrue(refused.contains("no migrators found matching pod"), refused);
    assertTrue(refused.contains("migrations.coderanger.net/no-wait"), refused);
    assertNotEquals(0, create("default", required, container("other")).status());
    accepted(create("default", required, container("migrate-wait-app")));
    accepted(create("default", required + ", migrations.coderanger.net/no-wait: 'true'", ""));
    accepted(create("default", required + ", kubernetes.io/config.mirror: 'x'", ""));
    accepted(create("default", "migrations.coderanger.net/required: 'false'", ""));
    accepted(create("default", "some: annotation", ""));
    accepted(kubectl.run(POD.replace("  annotations: {%s}\n", "").formatted(""), "create", "-f-"));
  }

  /** With the webhook made mandatory and nobody answering, who is asked for is refused. */
  @Test
  void theWebhookIsAskedForPodsThatAreToWaitOnly() throws Exception {
    try (var strict = KubeApi.bare();
        var there = new Kubectl(strict)) {
      there.succeed("apply", "--server-side", "-k", "deploy/default");
      var name = "mutatingwebhookconfiguration/zz-migrations-operator-injector";
      there.succeed(
          "patch",
          name,
          "--type=json",
          "-p",
          "[{\"op\":\"replace\",\"path\":\"/webhooks/0/failurePolicy\",\"value\":\"Fail\"}]");
      await()
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(
              () -> assertNotEquals(0, create(there, "default", "some: annotation", "").status()));
      var refused = create(there, "default", "some: annotation", "").output();
      assertTrue(refused.contains("injector.migrations.coderanger.net"), refused);
      var bare = there.run(POD.replace("  annotations: {%s}\n", "").formatted(""), "create", "-f-");
      assertTrue(bare.output().contains("failed calling webhook"), bare.output());
      accepted(create(there, "default", "migrations.coderanger.net/no-wait: 'true'", ""));
      accepted(create(there, "default", "kubernetes.io/config.mirror: 'x'", ""));
      accepted(create(there, "kube-system", "some: annotation", ""));
      accepted(create(there, "migrations-operator", "some: annotation", ""));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "migrator-controller, migrator-controller-tls",
    "injector-webhook, injector-webhook-tls"
  })
  void aServiceMakesItsCertificateWithItsOwnRights(String service, String secret) throws Exception {
    var client = kube.client();
    client.addDefaultHeader(
        "Impersonate-User", "system:serviceaccount:migrations-operator:" + service);
    var settings =
        new TlsSettings(
            TlsSettings.Mode.SELF_MANAGED,
            Path.of("/none"),
            "migrations-operator",
            secret,
            List.of(service),
            Duration.ofMillis(200),
            Duration.ofDays(7),
            Duration.ofDays(3650));
    try (var serving = ServingTls.start(settings, client)) {
      assertEquals(Optional.empty(), serving.fault());
    }
    var all = new CoreV1Api(kube.client());
    var garbled = all.readNamespacedSecret(secret, "migrations-operator").execute();
    garbled.getData().put("tls.crt", "garbage".getBytes());
    all.replaceNamespacedSecret(secret, "migrations-operator", garbled).execute();
    try (var serving = ServingTls.start(settings, client)) {
      assertEquals(Optional.empty(), serving.fault());
    }
    var other = service.startsWith("m") ? "injector-webhook-tls" : "migrator-controller-tls";
    var refused =
        assertThrows(
            ApiException.class,
            () ->
                new CoreV1Api(client).readNamespacedSecret(other, "migrations-operator").execute());
    assertEquals(403, refused.getCode());
  }

  /** RBAC knows the name of a list by its field selector only. */
  @Test
  void theInjectorListsWhatItMayByName() throws Exception {
    var as = "--as=" + INJECTOR;
    for (var named :
        List.of(
            "configmaps/migrator-controller-ca",
            "services/migrator-controller",
            "mutatingwebhookconfigurations/zz-migrations-operator-injector")) {
      var kind = named.replaceFirst("/.*", "");
      var one = "--field-selector=metadata.name=" + named.replaceFirst(".*/", "");
      kubectl.succeed("get", kind, "-n", "migrations-operator", one, as);
      var all = kubectl.run("", "get", kind, "-n", "migrations-operator", as);
      assertTrue(all.output().contains("Forbidden"), all::output);
    }
  }

  @ParameterizedTest
  @CsvSource({
    CONTROLLER + ", create, jobs.batch, yes",
    CONTROLLER + ", patch, migrators.migrations.coderanger.net/status, yes",
    CONTROLLER + ", create, migrators.migrations.coderanger.net, no",
    CONTROLLER + ", create, pods, no",
    CONTROLLER + ", get, pods/log, no",
    CONTROLLER + ", get, secrets, no",
    CONTROLLER + ", get, configmaps, no",
    CONTROLLER + ", impersonate, serviceaccounts, no",
    INJECTOR + ", list, migrators.migrations.coderanger.net, yes",
    INJECTOR + ", list, pods, no",
    INJECTOR + ", create, pods, no",
    INJECTOR + ", get, secrets, no",
    INJECTOR + ", create, mutatingwebhookconfigurations.admissionregistration.k8s.io, no",
  })
  void rightsInAnyNamespace(String who, String verb, String what, String answer) throws Exception {
    assertEquals(answer, kubectl.canI(who, verb, what, ""));
  }

  /**
   * Kubernetes' own roles, with what its controller would have put into them by their selectors,
   * which runs in no API server. Creating Migrators amounts to creating pods, so who may not the
   * one may not the other; who may write the status may open the gate.
   */
  @ParameterizedTest
  @CsvSource({
    "view, get watch, create delete, no",
    "edit, get create patch delete, , yes",
    "admin, get create update deletecollection, , yes"
  })
  void aUserWithARoleOfKubernetesMay(String role, String may, String mayNot, String pods)
      throws Exception {
    var user = "user-with-" + role;
    var bindings =
        aggregated(role).stream()
            .map(
                part ->
                    """
                    apiVersion: rbac.authorization.k8s.io/v1
                    kind: RoleBinding
                    metadata: {generateName: %s-, namespace: default}
                    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "%s"}
                    subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %s}]
                    """
                        .formatted(role, part, user))
            .collect(Collectors.joining("---\n"));
    assertEquals(0, kubectl.run(bindings, "create", "-f-").status());
    var migrators = "migrators.migrations.coderanger.net";
    // Until the authorizer has seen them; a role of Kubernetes' own comes last by name.
    await().until(() -> kubectl.canI(user, "get", "pods", "default"), "yes"::equals);
    for (var verb : may.split(" ")) {
      await().until(() -> kubectl.canI(user, verb, migrators, "default"), "yes"::equals);
      assertEquals("no", kubectl.canI(user, verb, migrators, "kube-public"), verb);
    }
    for (var verb : mayNot == null ? new String[0] : mayNot.split(" ")) {
      assertEquals("no", kubectl.canI(user, verb, migrators, "default"), verb);
    }
    assertEquals(pods, kubectl.canI(user, "create", "pods", "default"));
    assertEquals("no", kubectl.canI(user, "patch", migrators + "/status", "default"));
  }

  private static Set<String> aggregated(String role) throws Exception {
    var parts = new TreeSet<String>();
    var labels =
        kubectl.succeed(
            "get",
            "clusterrole/" + role,
            "-o=jsonpath={.aggregationRule.clusterRoleSelectors[*].matchLabels}");
    if (labels.isEmpty()) {
      return Set.of(role);
    }
    var selector = Manifest.parse(labels).getFirst().json().entrySet().iterator().next();
    var selected =
        kubectl.succeed(
            "get",
            "clusterroles",
            "-l=%s=%s".formatted(selector.getKey(), selector.getValue().getAsString()),
            "-o=jsonpath={.items[*].metadata.name}");
    for (var name : selected.split(" ")) {
      parts.addAll(aggregated(name));
    }
    return parts;
  }

  /** The overlay that the README gives. */
  @Test
  void inAnotherNamespaceTheWebhookPassesThatOneBy(@TempDir Path folder) throws Exception {
    var text = Files.readString(Manifest.ROOT.resolve("deploy/README.md"));
    var overlay =
        Stream.of(text.split("```"))
            .filter(block -> block.startsWith("yaml") && block.contains("namespace: elsewhere"))
            .findFirst()
            .orElseThrow()
            .substring("yaml".length());
    var deploy = folder.toRealPath().relativize(Manifest.ROOT.resolve("deploy/default"));
    Files.writeString(
        folder.resolve("kustomization.yaml"), overlay.replace("../default", deploy.toString()));
    var objects = Manifest.parse(kubectl.succeed("kustomize", folder.toString()));
    var webhook =
        objects.stream()
            .filter(it -> it.kind().equals("MutatingWebhookConfiguration"))
            .findFirst()
            .orElseThrow()
            .each("webhooks")
            .findFirst()
            .orElseThrow();
    var selector = webhook.getAsJsonObject("namespaceSelector").toString();
    assertTrue(selector.contains("[\"elsewhere\",\"kube-system\"]"), selector);
    assertTrue(webhook.getAsJsonObject("clientConfig").toString().contains("elsewhere"));
    for (var object : objects) {
      assertNotEquals("migrations-operator", object.namespace(), object::toString);
    }
    try (var other = KubeApi.bare();
        var there = new Kubectl(other)) {
      there.succeed("apply", "--server-side", "--validate=strict", "-k", folder.toString());
    }
  }

  private static final String POD =
      """
      apiVersion: v1
      kind: Pod
      metadata:
        generateName: pod-
        annotations: {%s}
      spec:
        nodeName: node # which a mirror pod must have
        securityContext: {runAsNonRoot: true, runAsUser: 1, seccompProfile: {type: RuntimeDefault}}
        initContainers: [%s]
        containers:
          - name: app
            image: app
            securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
      """;

  private static String container(String name) {
    return "{name: %s, image: x}".formatted(name);
  }

  private static Kubectl.Outcome create(String namespace, String annotations, String init)
      throws Exception {
    return create(kubectl, namespace, annotations, init);
  }

  private static Kubectl.Outcome create(
      Kubectl on, String namespace, String annotations, String init) throws Exception {
    return on.run(POD.formatted(annotations, init), "create", "-n", namespace, "-f-");
  }

  private static void accepted(Kubectl.Outcome outcome) {
    assertEquals(0, outcome.status(), outcome::output);
  }

  private static String certificate() throws Exception {
    var settings =
        new TlsSettings(
            TlsSettings.Mode.SELF_MANAGED,
            Path.of("/none"),
            "default",
            "any",
            List.of("any"),
            Duration.ofSeconds(1),
            Duration.ofDays(7),
            Duration.ofDays(3650));
    try (var serving = ServingTls.start(settings, kube.client())) {
      return serving.caBundle();
    }
  }
}
