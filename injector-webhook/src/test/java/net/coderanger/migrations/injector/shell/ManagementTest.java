package net.coderanger.migrations.injector.shell;

import static net.coderanger.migrations.injector.shell.ReviewText.*;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import io.helidon.http.Status;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.service.registry.Services;
import io.helidon.webclient.http1.Http1Client;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.testing.junit5.ServerTest;
import io.helidon.webserver.testing.junit5.SetUpServer;
import io.helidon.webserver.testing.junit5.Socket;
import net.coderanger.migrations.kube.ServingTls;
import org.junit.jupiter.api.Test;

@ServerTest
class ManagementTest {
  private static final FixedCluster CLUSTER = new FixedCluster();
  private static final Lifecycle LIFECYCLE = new Lifecycle(Duration.ZERO);
  private static InjectorSettings settings;

  private final Http1Client management;
  private final WebServer server;

  ManagementTest(@Socket("management") Http1Client management, WebServer server) {
    this.management = management;
    this.server = server;
  }

  @SetUpServer
  static void server(WebServerConfig.Builder builder) throws Exception {
    var config =
        Config.create(
            ConfigSources.create(
                Map.of(
                    "server.port", "0",
                    "server.sockets.0.port", "0",
                    "tls.mode", "files",
                    "tls.directory", TestCertificate.directory().toString())),
            ConfigSources.classpath("application.yaml"));
    settings = InjectorSettings.from(config);
    var metrics = new AdmissionMetrics(Services.get(MeterRegistry.class));
    new InjectorServer(settings, CLUSTER, metrics, LIFECYCLE)
        .configure(builder, config, ServingTls.start(settings.tls(), null).tls());
  }

  @Test
  void isReadyWhenWarmAndEverythingIsKnownUntilItDrains() {
    assertEquals(Status.OK_200, management.get("/health/live").request().status());
    assertFalse(ready());
    new WarmUp(settings.waiter(), settings.namespace()).run(server.port());
    LIFECYCLE.warm();
    assertTrue(ready());
    CLUSTER.synced = false;
    assertFalse(ready());
    CLUSTER.synced = true;
    var gate = CLUSTER.gate;
    CLUSTER.gate = Optional.empty();
    assertFalse(ready());
    CLUSTER.gate = gate;
    assertTrue(ready());
    LIFECYCLE.shutdown();
    assertFalse(ready());
    assertEquals(Status.OK_200, management.get("/health/live").request().status());
  }

  @Test
  void metricsAreNamedAsPrometheusWantsThem() throws Exception {
    try (var connection = new Connection(server.port())) {
      connection.post("/mutate", creating(shop("")).getBytes(), "Content-Type: application/json");
    }
    var text = management.get("/metrics").requestEntity(String.class);
    for (var line :
        List.of(
            "# TYPE migrations_injector_admissions_total counter",
            "migrations_injector_admissions_total{outcome=\"patched\"",
            "migrations_injector_admissions_total{outcome=\"failed\"",
            "# TYPE migrations_injector_admission_duration_seconds histogram",
            "# TYPE migrations_injector_connections_cut_total counter",
            "migrations_injector_admission_duration_seconds_bucket{",
            "jvm_uptime_seconds")) {
      assertTrue(text.contains(line), () -> line + " is not in\n" + text);
    }
  }

  private boolean ready() {
    return management.get("/health/ready").request().status().equals(Status.OK_200);
  }
}
