package net.coderanger.migrations.controller;

import module java.base;

import io.helidon.webserver.WebServer;
import io.kubernetes.client.openapi.ApiClient;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.controller.gate.Gate;
import net.coderanger.migrations.controller.gate.GateSettings;
import net.coderanger.migrations.controller.shell.Api;
import net.coderanger.migrations.controller.shell.Caches;
import net.coderanger.migrations.controller.shell.Controller;
import net.coderanger.migrations.controller.shell.ControllerSettings;
import net.coderanger.migrations.controller.shell.Events;
import net.coderanger.migrations.controller.shell.Observation;
import net.coderanger.migrations.kube.Doorkeeper;
import net.coderanger.migrations.kube.Namespaces;

/** The controller as Main wires it, against a test's API server, with its gate on plain HTTP. */
public final class RunningController implements AutoCloseable {
  private final Caches caches;
  private final Controller controller;
  private final Events events;
  private final Gate gate;
  private final WebServer server;

  RunningController(KubeApi kube, Api.Observer observer) {
    this(kube::client, "default", observer);
  }

  /**
   * Starts it.
   *
   * @param client makes a client of its own each time
   * @param namespace where its Lease is
   */
  public RunningController(Supplier<ApiClient> client, String namespace, Api.Observer observer) {
    var calls = client.get();
    var watches = client.get();
    watches.setReadTimeout(0);
    var api = new Api(calls, observer);
    caches = new Caches(watches, Namespaces.ALL);
    var observation = new Observation(api, caches, Clock.systemUTC());
    events = new Events(api, "test", Clock.systemUTC());
    gate =
        new Gate(
            new GateSettings(
                Duration.ofMillis(200),
                20,
                Duration.ofSeconds(5),
                Duration.ofSeconds(5),
                10_000,
                Duration.ofMinutes(10),
                Duration.ofSeconds(10)),
            new Doorkeeper(
                new Doorkeeper.Limits(
                    10_000,
                    10_000,
                    Duration.ofSeconds(10),
                    Duration.ofMinutes(1),
                    Duration.ofMinutes(10))),
            api,
            caches,
            observation,
            events);
    controller =
        new Controller(
            calls, settings(namespace), api, caches, observation, events, (_, _, _) -> {});
    caches.start();
    server = WebServer.builder().port(0).routing(routing -> routing.register(gate)).build().start();
    controller.start();
  }

  private static ControllerSettings settings(String namespace) {
    return new ControllerSettings(
        namespace,
        UUID.randomUUID().toString(),
        2,
        Duration.ofSeconds(10),
        Duration.ofSeconds(3),
        Duration.ofSeconds(2),
        Duration.ofMillis(500),
        Duration.ZERO);
  }

  URI gate(String migrator) {
    return URI.create(
        "http://127.0.0.1:%d/v1/migrators/%s/wait".formatted(server.port(), migrator));
  }

  @Override
  public void close() {
    controller.close();
    gate.drain();
    server.stop();
    caches.close();
    events.close();
  }
}
