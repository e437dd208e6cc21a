package net.coderanger.migrations.injector.shell;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import net.coderanger.migrations.api.Audit;
import net.coderanger.migrations.api.OverlayRights;
import net.coderanger.migrations.api.ServiceProcess;
import net.coderanger.migrations.api.StagedImage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The program, run as its ServiceAccount with exactly the rules of deploy/, through everything that
 * it does: no request is forbidden, and no rule is there for nothing.
 */
class RightsIT {
  private static final String NAMESPACE = "migrations-operator";
  private static final String WEBHOOK = "zz-migrations-operator-injector";
  private static final String USER = "system:serviceaccount:migrations-operator:injector-webhook";

  @ParameterizedTest
  @CsvSource({"default, '', true", "namespaced, shop, false"})
  void withExactlyTheseRulesNothingIsForbiddenAndEachOfThemIsNeeded(
      String overlay, String namespaces, boolean everywhere) throws Exception {
    var audit = new Audit();
    try (var cluster = new ClusterUnderTest(audit.flags())) {
      for (var namespace : List.of(NAMESPACE, "shop", "other")) {
        cluster.namespace(namespace, "{}");
      }
      cluster.webhook(WEBHOOK, 1, "none");
      cluster.gate(NAMESPACE, TestCertificate.pem());
      cluster.migrator("shop", "db", "shop");
      cluster.migrator("other", "db", "shop");
      var rights = new OverlayRights(overlay);
      rights.create(cluster.kube());
      try (var process = start(cluster, namespaces)) {
        assertTrue(gates(process, "shop"));
        assertEquals(everywhere, gates(process, "other"));
        aCertificateIsRenewedAndTheCaBundleRepaired(cluster, audit);
        assertEquals(everywhere ? 2 : 1, process.metric("migrations_injector_migrators"));
      }
      var requests = audit.requestsOf(USER);
      assertEquals(
          List.of(), requests.stream().filter(it -> it.code() == 403).toList(), "forbidden");
      assertEquals(
          List.of(), OverlayRights.unused(rights.of("injector-webhook"), requests), "unused");
    }
  }

  private static ServiceProcess start(ClusterUnderTest cluster, String namespaces)
      throws Exception {
    return ServiceProcess.of(
        new StagedImage().command(),
        cluster.kube().kubeconfig(NAMESPACE, "injector-webhook"),
        Map.of(
            "KUBERNETES_NAMESPACES", namespaces,
            "TLS_POLL", "PT0.5S",
            "TLS_LEAF_LIFETIME", "PT4S",
            "TLS_CA_LIFETIME", "PT1H"));
  }

  private static boolean gates(ServiceProcess process, String namespace) throws Exception {
    var answer =
        process.post(MutatingWebhook.PATH, ReviewText.creating(namespace, ReviewText.shop("")));
    assertEquals(200, answer.statusCode(), answer::body);
    return answer.body().contains("\"patch\"");
  }

  private static void aCertificateIsRenewedAndTheCaBundleRepaired(
      ClusterUnderTest cluster, Audit audit) {
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> cluster.caBundle(WEBHOOK).contains("BEGIN CERTIFICATE"));
    await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                audit.requestsOf(USER).stream()
                    .anyMatch(it -> it.resource().equals("secrets") && it.verb().equals("update")));
  }
}
