package net.coderanger.migrations.sample;

import module java.base;

import io.helidon.config.Config;
import io.helidon.health.HealthCheckResponse;
import io.helidon.health.HealthCheckType;
import io.helidon.logging.common.LogConfig;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.observe.ObserveFeature;
import io.helidon.webserver.observe.health.HealthObserver;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.sql.SQLException;
import org.flywaydb.core.api.FlywayException;

/** The shop: {@code serve}, which is the default, or {@code migrate}. */
public final class Main {
  private final Config config;
  private final Settings settings;
  private final Database database;

  private Main(Config config, Settings settings) {
    this.config = config;
    this.settings = settings;
    this.database = new Database(settings);
  }

  public static void main(String[] args) throws InterruptedException {
    LogConfig.configureRuntime();
    var config = Config.create();
    Settings settings;
    try {
      settings = Settings.from(config);
    } catch (RuntimeException e) {
      throw failed("The configuration cannot be used", e);
    }
    var main = new Main(config, settings);
    switch (String.join(" ", args)) {
      case "", "serve" -> main.serve();
      case "migrate" -> main.migrate();
      default -> throw failed("Either serve or migrate, not: " + String.join(" ", args));
    }
  }

  private void migrate() throws InterruptedException {
    awaitDatabase();
    try {
      new Migration(settings, database).run();
    } catch (SQLException | FlywayException e) {
      throw failed("The migration to " + settings.version() + " failed", e);
    }
    System.out.println("The schema is at what " + settings.version() + " needs.");
  }

  private void serve() throws InterruptedException {
    awaitDatabase();
    try {
      var objection = settings.version().objectionTo(database.schema());
      if (objection.isPresent()) {
        throw failed("Not started: " + objection.get());
      }
    } catch (SQLException e) {
      throw failed("The schema cannot be read", e);
    }
    var observe = config.get("observe");
    var server =
        WebServer.builder()
            .config(config.get("server"))
            .routing(
                routing ->
                    routing
                        .register("/orders", new Orders(database, settings.version()))
                        .get("/version", (_, response) -> response.send(version())))
            .addFeature(
                ObserveFeature.builder()
                    .config(observe)
                    .addObserver(
                        HealthObserver.builder()
                            .config(observe.get("observers.health"))
                            .addCheck(
                                () ->
                                    HealthCheckResponse.builder()
                                        .status(database.answers())
                                        .build(),
                                HealthCheckType.READINESS,
                                "database")
                            .build())
                    .build())
            .build()
            .start();
    if (!server.isRunning()) { // a port that is taken is logged, not thrown
      System.exit(1);
    }
  }

  private JsonObject version() {
    return Json.createObjectBuilder().add("version", settings.version().toString()).build();
  }

  private void awaitDatabase() throws InterruptedException {
    try {
      database.await(settings.patience());
    } catch (SQLException e) {
      throw failed("The database %s cannot be used".formatted(settings.url()), e);
    }
  }

  private static RuntimeException failed(String what, Exception why) {
    return failed(what + ": " + why.getMessage());
  }

  /** Ends the program; to be thrown, so that the compiler knows. */
  private static RuntimeException failed(String reason) {
    System.err.println(reason);
    System.exit(1);
    return new IllegalStateException(reason);
  }
}
