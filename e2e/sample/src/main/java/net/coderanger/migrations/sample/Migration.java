package net.coderanger.migrations.sample;

import module java.base;

import java.sql.SQLException;
import org.flywaydb.core.Flyway;

/** Brings the schema to what this image needs. */
final class Migration {
  private final Settings settings;
  private final Database database;

  Migration(Settings settings, Database database) {
    this.settings = settings;
    this.database = database;
  }

  /** Returns when the schema is there; throws Flyway's exception if that cannot be. */
  void run() throws SQLException {
    try (var executions = new Executions(database)) {
      var id = executions.start(settings.version());
      flyway().migrate();
      executions.finish(id);
    }
  }

  private Flyway flyway() {
    return Flyway.configure()
        .dataSource(settings.url(), settings.user(), settings.password())
        .locations(settings.version().locations(settings.migrations()).toArray(String[]::new))
        .failOnMissingLocations(true)
        // The table of executions is there before Flyway's history is.
        .baselineOnMigrate(true)
        .baselineVersion("0")
        // The server notices within a second that a migration was killed, not after its statement.
        .initSql("SET client_connection_check_interval = '1s'")
        .placeholders(
            Map.of(
                "seconds", String.valueOf(settings.slowness().toSeconds()),
                "fail", String.valueOf(settings.failing())))
        .load();
  }
}
