package net.coderanger.migrations.sample;

import module java.base;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

/** Connections to the shop's database: a new one for each use, which is enough for a sample. */
final class Database {
  private static final Duration PAUSE = Duration.ofMillis(500);
  // SQLSTATE class 28 is a refused login, 3D a database that does not exist: waiting is in vain.
  private static final List<String> HOPELESS = List.of("28", "3D");

  private final String url;
  private final Properties properties = new Properties();

  Database(Settings settings) {
    url = settings.url();
    properties.setProperty("user", settings.user());
    properties.setProperty("password", settings.password());
    properties.setProperty("connectTimeout", "5");
    properties.setProperty("ApplicationName", "sample " + settings.version());
  }

  Connection connect() throws SQLException {
    return DriverManager.getConnection(url, properties);
  }

  /**
   * Waits until the database answers.
   *
   * @throws SQLException of the last attempt, if it does not within that time or never will
   */
  void await(Duration patience) throws SQLException, InterruptedException {
    var end = System.nanoTime() + patience.toNanos();
    while (true) {
      try (var _ = connect()) {
        return;
      } catch (SQLException e) {
        var state = Objects.requireNonNullElse(e.getSQLState(), "");
        if (System.nanoTime() >= end || HOPELESS.stream().anyMatch(state::startsWith)) {
          throw e;
        }
      }
      Thread.sleep(PAUSE);
    }
  }

  /** The newest migration in the schema; empty if there never was one. */
  OptionalInt schema() throws SQLException {
    try (var connection = connect();
        var statement = connection.createStatement()) {
      try (var found =
          statement.executeQuery("SELECT to_regclass('flyway_schema_history') IS NOT NULL")) {
        found.next();
        if (!found.getBoolean(1)) {
          return OptionalInt.empty();
        }
      }
      try (var newest =
          statement.executeQuery(
              "SELECT max(version::int) FROM flyway_schema_history WHERE success AND type ="
                  + " 'SQL'")) {
        newest.next();
        var version = newest.getInt(1);
        return newest.wasNull() ? OptionalInt.empty() : OptionalInt.of(version);
      }
    }
  }

  boolean answers() {
    try (var connection = connect()) {
      return connection.isValid(2);
    } catch (SQLException e) {
      return false;
    }
  }
}
