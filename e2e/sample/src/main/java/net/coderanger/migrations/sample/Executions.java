package net.coderanger.migrations.sample;

import java.sql.Connection;
import java.sql.SQLException;

/**
 * The table {@code migration_executions}, by which anybody can count how often a migration ran. A
 * row is committed before the migration begins, so that killed and failed ones count: they stay
 * without {@code finished_at}.
 */
final class Executions implements AutoCloseable {
  private final Connection connection;

  Executions(Database database) throws SQLException {
    connection = database.connect();
    try (var statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      // Two that start at once would both make the table, and one fail, in spite of IF NOT EXISTS.
      statement.execute("SELECT pg_advisory_xact_lock(hashtext('migration_executions'))");
      statement.execute(
          """
          CREATE TABLE IF NOT EXISTS migration_executions (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            image_version text NOT NULL,
            started_at timestamptz NOT NULL DEFAULT now(),
            finished_at timestamptz
          )\
          """);
      connection.commit();
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  /** The id of the execution that starts. */
  long start(Version version) throws SQLException {
    try (var insert =
        connection.prepareStatement(
            "INSERT INTO migration_executions (image_version) VALUES (?) RETURNING id")) {
      insert.setString(1, version.toString());
      try (var row = insert.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  void finish(long id) throws SQLException {
    try (var update =
        connection.prepareStatement(
            "UPDATE migration_executions SET finished_at = now() WHERE id = ?")) {
      update.setLong(1, id);
      update.executeUpdate();
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
