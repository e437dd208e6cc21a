package net.coderanger.migrations.injector;

import static org.awaitility.Awaitility.await;

import module java.base;

import net.coderanger.migrations.injector.shell.ClusterUnderTest;

/**
 * Lets the injector start as in production, for the list of classes in its start-up archive. Before
 * it is ready it warms up: it answers admissions of its own, by TLS.
 */
public final class Training {
  private static final String WEBHOOK = "zz-migrations-operator-injector";

  private Training() {}

  /**
   * @param command starts the injector
   */
  public static void main(String... command) throws Exception {
    try (var cluster = new ClusterUnderTest()) {
      cluster.namespace("migrations-operator", "{}");
      cluster.webhook(WEBHOOK, 1, "none");
      var kubeconfig =
          Files.writeString(Files.createTempFile("kube", "config"), cluster.kubeconfig());
      int management;
      try (var socket = new ServerSocket(0)) {
        management = socket.getLocalPort();
      }
      var builder = new ProcessBuilder(command).inheritIO();
      builder
          .environment()
          .putAll(
              Map.of(
                  "KUBECONFIG", kubeconfig.toString(),
                  "SERVER_PORT", "0",
                  "SERVER_SOCKETS_0_PORT", String.valueOf(management)));
      var injector = builder.start();
      try {
        var ca =
            await()
                .atMost(Duration.ofMinutes(1))
                .until(() -> cluster.caBundle(WEBHOOK), it -> it.contains("BEGIN CERTIFICATE"));
        cluster.gate("migrations-operator", ca);
        cluster.migrator("migrations-operator", "db", "shop");
        var ready = URI.create("http://127.0.0.1:%d/health/ready".formatted(management)).toURL();
        await()
            .atMost(Duration.ofMinutes(1))
            .ignoreExceptions()
            .until(() -> ((HttpURLConnection) ready.openConnection()).getResponseCode() == 200);
        injector.destroy();
        if (!injector.waitFor(30, TimeUnit.SECONDS)) {
          throw new IllegalStateException("The injector does not end on SIGTERM");
        }
      } finally {
        injector.destroyForcibly();
      }
    }
  }
}
