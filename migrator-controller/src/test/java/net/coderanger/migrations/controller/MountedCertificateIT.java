package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.apis.CoreV1Api;
import java.nio.file.Path;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.kube.ServingTls;
import net.coderanger.migrations.kube.TlsSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The process with a certificate that somebody else mounts, cert-manager for one. */
class MountedCertificateIT {
  private static final String CONFIG_MAP = "migrator-controller-ca";

  @TempDir private Path directory;

  @Test
  void itsCaIsPublishedForTheWaitersAsSoonAsItIsThere() throws Exception {
    try (var kube = KubeApi.withMigrators()) {
      var core = new CoreV1Api(kube.client());
      var authority = issue(kube, core);
      var log = directory.resolve("log");
      var process = run(kube, log);
      try {
        await()
            .atMost(Duration.ofSeconds(60))
            .until(() -> !process.isAlive() || Files.readString(log).contains("has no ca.crt"));
        assertTrue(process.isAlive(), Files.readString(log));
        assertEquals("", published(core));
        Files.writeString(directory.resolve("ca.crt"), authority);
        await().atMost(Duration.ofSeconds(30)).until(() -> published(core).equals(authority));
      } finally {
        process.destroyForcibly();
      }
    }
  }

  /** Our own issuer stands in for another; its CA is left to the test. */
  private String issue(KubeApi kube, CoreV1Api core) throws Exception {
    var settings =
        new TlsSettings(
            TlsSettings.Mode.SELF_MANAGED,
            directory,
            "default",
            "elsewhere",
            List.of("migrator-controller"),
            Duration.ofSeconds(1),
            Duration.ofDays(7),
            Duration.ofDays(3650));
    try (var serving = ServingTls.start(settings, kube.client())) {
      var secret = core.readNamespacedSecret("elsewhere", "default").execute().getData();
      for (var file : List.of("tls.crt", "tls.key")) {
        Files.write(directory.resolve(file), secret.get(file));
      }
      return serving.caBundle();
    }
  }

  private Process run(KubeApi kube, Path log) throws IOException {
    var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var builder =
        new ProcessBuilder(
                java, "-Xmx64m", "-cp", System.getProperty("java.class.path"), Main.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder
        .environment()
        .putAll(
            Map.of(
                "KUBECONFIG",
                Files.writeString(directory.resolve("kubeconfig"), kube.kubeconfig()).toString(),
                "CONTROLLER_NAMESPACE",
                "default",
                "TLS_MODE",
                "files",
                "TLS_DIRECTORY",
                directory.toString(),
                "TLS_POLL",
                "PT0.5S",
                "SERVER_PORT",
                "0",
                "SERVER_SOCKETS_0_PORT",
                "0"));
    return builder.start();
  }

  private static String published(CoreV1Api core) throws ApiException {
    try {
      return core.readNamespacedConfigMap(CONFIG_MAP, "default").execute().getData().get("ca.crt");
    } catch (ApiException e) {
      if (e.getCode() == 404) {
        return "";
      }
      throw e;
    }
  }
}
