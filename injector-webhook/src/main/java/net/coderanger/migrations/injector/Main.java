package net.coderanger.migrations.injector;

import module java.base;

import io.helidon.config.Config;
import io.helidon.logging.common.LogConfig;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.service.registry.Services;
import io.helidon.webserver.WebServer;
import net.coderanger.migrations.injector.shell.AdmissionMetrics;
import net.coderanger.migrations.injector.shell.CaBundleKeeper;
import net.coderanger.migrations.injector.shell.InjectorServer;
import net.coderanger.migrations.injector.shell.InjectorSettings;
import net.coderanger.migrations.injector.shell.Lifecycle;
import net.coderanger.migrations.injector.shell.LiveCluster;
import net.coderanger.migrations.injector.shell.WarmUp;
import net.coderanger.migrations.kube.KubeClients;
import net.coderanger.migrations.kube.ServingTls;

/** The injector: a mutating webhook for pods. */
public final class Main {
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(10);

  private Main() {}

  /** Ends with 1 when the configuration is bad or a port is taken. */
  public static void main(String[] args) throws Exception {
    LogConfig.configureRuntime();
    var config = Config.create();
    Services.set(Config.class, config);
    try {
      run(config, InjectorSettings.from(config));
    } catch (Exception e) {
      System.getLogger(Main.class.getName()).log(System.Logger.Level.ERROR, "Not started", e);
      // Informers may run already, and theirs are no daemon threads.
      System.exit(1);
    }
  }

  private static void run(Config config, InjectorSettings settings) throws Exception {
    var clients = KubeClients.standard(CALL_TIMEOUT);
    var cluster = LiveCluster.watch(settings, clients.watches());
    var tls = ServingTls.start(settings.tls(), clients.calls());
    switch (settings.tls().mode()) {
      case SELF_MANAGED ->
          tls.onCaChange(
              CaBundleKeeper.start(
                      settings.webhookConfiguration(), clients.calls(), clients.watches())
                  ::want);
      case FILES -> {} // who made the files sees to the caBundle too
    }
    var metrics = new AdmissionMetrics(Services.get(MeterRegistry.class));
    metrics.observe(cluster, tls);
    var lifecycle = new Lifecycle(settings.drain());
    var server =
        new InjectorServer(settings, cluster, metrics, lifecycle)
            .configure(WebServer.builder(), config, tls.tls())
            .build()
            .start();
    if (!server.isRunning()) { // a port that is taken is logged, not thrown
      throw new IllegalStateException("a port could not be bound");
    }
    io.helidon.Main.addShutdownHandler(lifecycle);
    tls.reload(server);
    cluster.awaitSync();
    new WarmUp(settings.waiter(), settings.namespace()).run(server.port());
    lifecycle.warm();
  }
}
