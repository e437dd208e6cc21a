package net.coderanger.migrations.e2e;

import module java.base;
import module java.sql;

import io.kubernetes.client.openapi.ApiException;

/** A PostgreSQL in a namespace of its own, with a database for each who asks for one. */
final class Databases implements AutoCloseable {
  /** Lets the first migration in a database fail, and no other one. */
  static final String FIRST_MIGRATION_FAILS =
      """
      CREATE FUNCTION fail_first() RETURNS event_trigger LANGUAGE plpgsql AS $$
      BEGIN
        -- Not when it makes its table of executions, by connections that have the sample's name.
        IF current_setting('application_name') NOT LIKE 'sample %' THEN
          IF (SELECT count(*) FROM migration_executions) = 1 THEN
            RAISE EXCEPTION 'the first migration is to fail';
          END IF;
        END IF;
      END $$;
      CREATE EVENT TRIGGER fail_first ON ddl_command_start WHEN TAG IN ('CREATE TABLE')
        EXECUTE FUNCTION fail_first();
      """;

  private static final String USER = "postgres";
  private static final String PASSWORD = "not-for-production"; // as e2e/sample/deploy/postgres has

  private final Shop namespace;
  private final Process forward;
  private final String port;

  Databases(Lab lab) throws ApiException, IOException {
    namespace = new Shop(lab);
    lab.kubectl(
        lab.kubectl("", "kustomize", Lab.root().resolve("e2e/sample/deploy/postgres").toString()),
        "-n",
        namespace.namespace,
        "apply",
        "-f-");
    lab.kubectl(
        "", "-n", namespace.namespace, "rollout", "status", "deployment/shop-db", "--timeout=120s");
    forward =
        lab.kubectlCommand("-n", namespace.namespace, "port-forward", "service/shop-db", ":5432")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    // "Forwarding from 127.0.0.1:40123 -> 5432"
    var line = forward.inputReader().readLine();
    if (line == null) {
      throw new IllegalStateException("kubectl port-forward has ended");
    }
    port = line.replaceAll(".*127\\.0\\.0\\.1:(\\d+) .*", "$1");
  }

  /** Makes a database; answers the URL by which pods reach it. */
  String create(String name, String script) throws SQLException {
    try (var connection = connect("shop");
        var statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE \"%s\"".formatted(name));
    }
    try (var connection = connect(name);
        var statement = connection.createStatement()) {
      statement.execute(script);
    }
    return "jdbc:postgresql://shop-db.%s:5432/%s".formatted(namespace.namespace, name);
  }

  /** Which versions were migrated to, as the sample's migrations noted it, and which failed. */
  List<String> executions(String name) throws SQLException {
    var all = new ArrayList<String>();
    try (var connection = connect(name);
        var statement = connection.createStatement()) {
      try (var made =
          statement.executeQuery("SELECT to_regclass('migration_executions') IS NOT NULL")) {
        made.next();
        if (!made.getBoolean(1)) {
          return all;
        }
      }
      try (var rows =
          statement.executeQuery(
              "SELECT image_version, finished_at IS NULL FROM migration_executions ORDER BY id")) {
        while (rows.next()) {
          all.add(rows.getString(1) + (rows.getBoolean(2) ? " failed" : ""));
        }
      }
    }
    return all;
  }

  private Connection connect(String database) throws SQLException {
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:%s/%s".formatted(port, database), USER, PASSWORD);
  }

  @Override
  public void close() throws ApiException {
    forward.destroy();
    namespace.close();
  }
}
