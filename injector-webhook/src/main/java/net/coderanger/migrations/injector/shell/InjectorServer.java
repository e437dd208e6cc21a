package net.coderanger.migrations.injector.shell;

import module java.base;

import io.helidon.common.tls.Tls;
import io.helidon.config.Config;
import io.helidon.health.HealthCheckResponse;
import io.helidon.health.HealthCheckType;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.observe.ObserveFeature;
import io.helidon.webserver.observe.health.HealthObserver;
import net.coderanger.migrations.injector.core.Injection;
import net.coderanger.migrations.kube.Doorkeeper;

/** The web server: the webhook on one port, health and metrics on another. */
public final class InjectorServer {
  private static final Set<String> EXEMPT = Set.of("kube-system");

  private final Injection injection;
  private final Cluster cluster;
  private final AdmissionMetrics metrics;
  private final Lifecycle lifecycle;

  public InjectorServer(
      InjectorSettings settings, Cluster cluster, AdmissionMetrics metrics, Lifecycle lifecycle) {
    this.injection =
        new Injection(
            settings.waiter(),
            namespace ->
                EXEMPT.contains(namespace)
                    || namespace.equals(settings.namespace())
                    || !settings.namespaces().include(namespace));
    this.cluster = cluster;
    this.metrics = metrics;
    this.lifecycle = lifecycle;
  }

  /**
   * Sets the server up.
   *
   * @param config with the nodes server and observe
   */
  public WebServerConfig.Builder configure(WebServerConfig.Builder server, Config config, Tls tls) {
    var observe = config.get("observe");
    var doorkeeper = new Doorkeeper(Doorkeeper.Limits.from(config.get("connections")));
    metrics.observe(doorkeeper);
    server.config(config.get("server"));
    doorkeeper.guard(server, tls);
    return server
        .directHandlers(
            DirectHandlers.builder()
                .addHandler(DirectHandler.EventType.BAD_REQUEST, InjectorServer::badRequest)
                .build())
        .routing(
            routing ->
                routing.register(
                    new MutatingWebhook(
                        injection, cluster, metrics, lifecycle, doorkeeper::answered)))
        .addFeature(
            ObserveFeature.builder()
                .config(observe)
                .addObserver(
                    HealthObserver.builder()
                        .config(observe.get("observers.health"))
                        .addCheck(this::readiness, HealthCheckType.READINESS, "ready")
                        .build())
                .build());
  }

  private HealthCheckResponse readiness() {
    var migrators = cluster.isSynced();
    var gate = cluster.gate().isPresent();
    var process = lifecycle.takesRequests();
    return HealthCheckResponse.builder()
        .status(migrators && gate && process)
        .detail("migratorsKnown", migrators)
        .detail("gateCaKnown", gate)
        .detail("takesRequests", process)
        .build();
  }

  /** Helidon (4.4.0) answers a content encoding that it has no decoder for with 400. */
  private static DirectHandler.TransportResponse badRequest(
      DirectHandler.TransportRequest request,
      DirectHandler.EventType type,
      Status status,
      io.helidon.http.ServerResponseHeaders headers,
      String message) {
    // The message is null unless error-handling.include-entity says otherwise.
    var text = Objects.requireNonNullElse(message, "bad request");
    var encoded = request.headers().contains(HeaderNames.CONTENT_ENCODING);
    return DirectHandler.TransportResponse.builder()
        .status(
            encoded && status == Status.BAD_REQUEST_400
                ? Status.UNSUPPORTED_MEDIA_TYPE_415
                : status)
        .headers(headers)
        .keepAlive(false)
        .entity(text)
        .build();
  }
}
