package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;

import module java.base;

import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import io.helidon.webserver.WebServer;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.controller.gate.Gate;
import net.coderanger.migrations.controller.gate.GateSettings;
import net.coderanger.migrations.controller.shell.Api;
import net.coderanger.migrations.controller.shell.Caches;
import net.coderanger.migrations.controller.shell.Events;
import net.coderanger.migrations.controller.shell.Observation;
import net.coderanger.migrations.kube.Doorkeeper;
import net.coderanger.migrations.kube.Namespaces;
import net.coderanger.migrations.kube.ServingTls;
import net.coderanger.migrations.kube.TlsSettings;

/** The gate of one replica as Main wires it, TLS and limits included, without the controller. */
final class RunningGate implements AutoCloseable {
  private final Caches caches;
  private final Events events;
  private final ServingTls tls;
  private final WebServer server;
  final Doorkeeper doorkeeper;
  final Gate gate;

  /**
   * @param settings in place of those of application.yaml
   */
  RunningGate(KubeApi kube, Api.Observer observer, Map<String, String> settings)
      throws InterruptedException {
    var ports = Map.of("server.port", "0", "server.sockets.0.port", "0");
    var config =
        Config.builder()
            .disableEnvironmentVariablesSource()
            .disableSystemPropertiesSource()
            .sources(
                ConfigSources.create(settings),
                ConfigSources.create(ports),
                ConfigSources.classpath("application.yaml"))
            .build();
    var watches = kube.client();
    watches.setReadTimeout(0);
    var api = new Api(kube.client(), observer);
    caches = new Caches(watches, Namespaces.from(config.get("kubernetes"), "default"));
    var observation = new Observation(api, caches, Clock.systemUTC());
    events = new Events(api, "test", Clock.systemUTC());
    var gateSettings = GateSettings.from(config.get("gate"));
    doorkeeper =
        new Doorkeeper(
            Doorkeeper.Limits.from(config.get("connections"), gateSettings.longestWait()));
    gate = new Gate(gateSettings, doorkeeper, api, caches, observation, events);
    tls =
        ServingTls.start(
            TlsSettings.from(config.get("tls"), "default", "migrator-controller"), kube.client());
    caches.start();
    server =
        Main.configure(WebServer.builder(), config, doorkeeper, caches::isSynced, gate, tls.tls())
            .build()
            .start();
    tls.reload(server);
    await().until(caches::isSynced);
  }

  int port() {
    return server.port();
  }

  @Override
  public void close() {
    server.stop();
    tls.close();
    caches.close();
    events.close();
    doorkeeper.close();
  }
}
