package net.coderanger.migrations.controller;

import module java.base;

import io.helidon.common.Weighted;
import io.helidon.common.tls.Tls;
import io.helidon.config.Config;
import io.helidon.health.HealthCheckResponse;
import io.helidon.health.HealthCheckType;
import io.helidon.http.DirectHandler;
import io.helidon.logging.common.LogConfig;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.service.registry.Services;
import io.helidon.spi.HelidonShutdownHandler;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.observe.ObserveFeature;
import io.helidon.webserver.observe.health.HealthObserver;
import net.coderanger.migrations.controller.gate.BadRequest;
import net.coderanger.migrations.controller.gate.Gate;
import net.coderanger.migrations.controller.gate.GateSettings;
import net.coderanger.migrations.controller.shell.Api;
import net.coderanger.migrations.controller.shell.CaPublication;
import net.coderanger.migrations.controller.shell.Caches;
import net.coderanger.migrations.controller.shell.Controller;
import net.coderanger.migrations.controller.shell.ControllerSettings;
import net.coderanger.migrations.controller.shell.Events;
import net.coderanger.migrations.controller.shell.Observation;
import net.coderanger.migrations.kube.Doorkeeper;
import net.coderanger.migrations.kube.KubeClients;
import net.coderanger.migrations.kube.Namespaces;
import net.coderanger.migrations.kube.ServingTls;
import net.coderanger.migrations.kube.TlsSettings;

/** The migrator-controller: runs the migrations and opens the gate. */
public final class Main {
  private static final String SERVICE = "migrator-controller";

  private Main() {}

  /** Starts the service; configuration by application.yaml and the environment. */
  public static void main(String[] args) throws Exception {
    LogConfig.configureRuntime();
    var config = Config.create();
    Services.set(Config.class, config);
    ControllerSettings settings;
    GateSettings gateSettings;
    TlsSettings tlsSettings;
    Doorkeeper.Limits limits;
    Namespaces namespaces;
    try {
      settings = ControllerSettings.from(config.get("controller"));
      gateSettings = GateSettings.from(config.get("gate"));
      limits = Doorkeeper.Limits.from(config.get("connections"), gateSettings.longestWait());
      tlsSettings = TlsSettings.from(config.get("tls"), settings.namespace(), SERVICE);
      namespaces = Namespaces.from(config.get("kubernetes"), settings.namespace());
    } catch (RuntimeException e) {
      System.err.println("The configuration cannot be used: " + e.getMessage());
      System.exit(1);
      return;
    }

    var clients = KubeClients.standard(settings.callTimeout());
    // The lease has a connection of its own, where nothing is queued before its renewal, and one
    // call without an answer leaves time for another one.
    var election = clients.another(settings.renewDeadline().dividedBy(2));
    var metrics = new Metrics(Services.get(MeterRegistry.class));
    var api = new Api(clients.calls(), metrics);
    var tls = ServingTls.start(tlsSettings, clients.calls());
    var caches = new Caches(clients.watches(), namespaces);
    var observation = new Observation(api, caches, Clock.systemUTC());
    var events = new Events(api, settings.identity(), Clock.systemUTC());
    var doorkeeper = new Doorkeeper(limits);
    // Theirs are one for each waiter: a thousand of them must not push out what the Migrator tells.
    var waitersEvents = new Events(api, settings.identity(), Clock.systemUTC());
    var gate = new Gate(gateSettings, doorkeeper, api, caches, observation, waitersEvents);
    var controller = new Controller(election, settings, api, caches, observation, events, metrics);
    metrics.gauge(
        "migrations_controller_waiters", "Waiters whose requests are open", gate::waiting);
    metrics.counter(
        "migrations_controller_connections_cut",
        "Connections that were hung up on because they kept the gate waiting",
        doorkeeper,
        it -> (long) it.sentAway());
    metrics.gauge(
        "migrations_controller_leader",
        "1 while this replica leads",
        () -> controller.isLeading() ? 1 : 0);
    metrics.gauge(
        "migrations_controller_namespaces_refused",
        "Listed namespaces that do not exist or where the rights are missing",
        caches::refused);
    metrics.gauge(
        "migrations_controller_certificate_not_after_seconds",
        "When the serving certificate ends to be valid, in Unix time",
        () -> tls.notAfter().getEpochSecond());
    metrics.gauge(
        "migrations_controller_certificate_fault",
        "1 while a new serving certificate cannot be used; the log says why",
        () -> tls.fault().isPresent() ? 1 : 0);

    var draining = new Draining(settings.drain(), gate, controller);
    caches.start();
    var server =
        configure(
                WebServer.builder(),
                config,
                doorkeeper,
                () -> caches.isSynced() && !draining.started,
                gate,
                tls.tls())
            .build()
            .start();
    if (!server.isRunning()) { // a port that is taken is logged, not thrown
      System.exit(1);
    }
    tls.reload(server);
    var publication =
        new CaPublication(
            api,
            settings.namespace(),
            config.get("tls.ca-config-map").asString().get(),
            tlsSettings.poll());
    tls.onCaChange(publication::publish);
    io.helidon.Main.addShutdownHandler(draining);
    controller.start();
  }

  static WebServerConfig.Builder configure(
      WebServerConfig.Builder server,
      Config config,
      Doorkeeper doorkeeper,
      BooleanSupplier ready,
      Gate gate,
      Tls tls) {
    var observe = config.get("observe");
    server.config(config.get("server"));
    doorkeeper.guard(server, tls);
    return server
        .directHandlers(
            DirectHandlers.builder()
                .addHandler(DirectHandler.EventType.BAD_REQUEST, new BadRequest())
                .build())
        .routing(routing -> routing.register(gate))
        .addFeature(
            ObserveFeature.builder()
                .config(observe)
                .addObserver(
                    HealthObserver.builder()
                        .config(observe.get("observers.health"))
                        .addCheck(
                            () ->
                                HealthCheckResponse.builder().status(ready.getAsBoolean()).build(),
                            HealthCheckType.READINESS,
                            "ready")
                        .build())
                .build());
  }

  /**
   * Runs before the server's own handler, which closes the sockets: not ready, the lease released,
   * the waiters sent to another replica.
   */
  private static final class Draining implements HelidonShutdownHandler, Weighted {
    private final Duration drain;
    private final Gate gate;
    private final Controller controller;
    private volatile boolean started;

    private Draining(Duration drain, Gate gate, Controller controller) {
      this.drain = drain;
      this.gate = gate;
      this.controller = controller;
    }

    @Override
    public double weight() {
      return Weighted.DEFAULT_WEIGHT + 1;
    }

    @Override
    public void shutdown() {
      started = true;
      controller.close();
      try {
        Thread.sleep(drain); // until the endpoints have forgotten us, new waiters still come
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
      gate.drain();
    }
  }
}
