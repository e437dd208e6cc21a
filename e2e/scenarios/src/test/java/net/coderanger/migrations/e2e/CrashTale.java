package net.coderanger.migrations.e2e;

import module java.base;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import java.sql.SQLException;

/**
 * A short story about the sample in a namespace and a database of its own. It goes on by what the
 * API server shows, so that it can be told across crashes.
 */
final class CrashTale implements AutoCloseable {
  /** What happens; how often PostgreSQL saw the migrations; how the Migrator ends. */
  enum Plot {
    FIRST_MIGRATION("[v1]; Succeeded; v1 runs"),
    ROLL_OUT_OF_THE_NEXT_IMAGE("[v1, v2]; Succeeded, Succeeded; v2 runs"),
    FAILS_ONCE("[v1 failed, v1]; Succeeded; v1 runs"),
    FAILS_FOR_GOOD_AND_IS_FIXED("[v1 failed, v1]; Succeeded, Failed; v1 runs"),
    CANNOT_START_AND_IS_REPLACED("[v2]; Succeeded, Superseded; v2 runs"),
    MIGRATOR_DELETED_MID_RUN("[v1]; the Migrator is gone; v1 waits");

    final String outcome;

    Plot(String outcome) {
      this.outcome = outcome;
    }
  }

  private static final String IMAGE = "ghcr.io/coderanger/migrations-operator/sample:";

  final Plot plot;
  private final Lab lab;
  private final Databases databases;
  private final Shop shop;
  private final String name;
  private boolean next;

  CrashTale(Lab lab, Databases databases, Plot plot, String name)
      throws ApiException, SQLException {
    this.lab = lab;
    this.databases = databases;
    this.plot = plot;
    this.name = name;
    shop = new Shop(lab);
    var fails = plot == Plot.FAILS_ONCE || plot == Plot.FAILS_FOR_GOOD_AND_IS_FIXED;
    var url = databases.create(name, fails ? Databases.FIRST_MIGRATION_FAILS : "");
    shop.create(
        "v1",
        "secrets",
        """
        {"metadata":{"name":"shop-db"},"stringData":{"DATABASE_URL":"%s","DATABASE_USER":"postgres",
         "DATABASE_PASSWORD":"not-for-production"}}
        """
            .formatted(url));
    apply(
        plot == Plot.CANNOT_START_AND_IS_REPLACED
            ? sample("v1")
                .replace(IMAGE + "v1", IMAGE + "v0") // there is none
                .replace("imagePullPolicy: IfNotPresent", "imagePullPolicy: Never")
            : sample("v1"));
  }

  String namespace() {
    return shop.namespace;
  }

  /** Does the one thing that the plot's user does, once the state is there that it answers. */
  void goOn(Optional<JsonObject> migrator, List<JsonObject> jobs)
      throws ApiException, SQLException {
    if (next || migrator.isEmpty()) {
      return;
    }
    next =
        switch (plot) {
          case ROLL_OUT_OF_THE_NEXT_IMAGE -> reason(migrator.get()).equals("MigrationsUpToDate");
          case FAILS_FOR_GOOD_AND_IS_FIXED -> reason(migrator.get()).equals("MigrationsFailed");
          case CANNOT_START_AND_IS_REPLACED -> jobs.stream().anyMatch(CrashTale::isLet);
          case MIGRATOR_DELETED_MID_RUN -> !databases.executions(name).isEmpty();
          case FIRST_MIGRATION, FAILS_ONCE -> false;
        };
    if (!next) {
      return;
    }
    switch (plot) {
      case MIGRATOR_DELETED_MID_RUN -> lab.delete(shop.migratorsPath() + "/shop");
      case FAILS_FOR_GOOD_AND_IS_FIXED ->
          shop.patchMigrator("{\"spec\":{\"env\":[{\"name\":\"FIXED\",\"value\":\"true\"}]}}");
      default -> apply(sample("v2"));
    }
  }

  private static boolean isLet(JsonObject job) {
    return !job.getAsJsonObject("spec").get("suspend").getAsBoolean();
  }

  /** Whether there is nothing left to migrate. */
  boolean isMigrated(Optional<JsonObject> migrator) {
    if (plot == Plot.MIGRATOR_DELETED_MID_RUN) {
      return migrator.isEmpty();
    }
    return migrator.isPresent()
        && reason(migrator.get()).equals("MigrationsUpToDate")
        && text(migrator.get().getAsJsonObject("status"), "lastSuccessfulMigration")
            .equals(IMAGE + last())
        && !migrator.get().getAsJsonObject("metadata").has("finalizers");
  }

  private String last() {
    return plot.outcome.substring(plot.outcome.lastIndexOf(';') + 2).split(" ")[0];
  }

  private static String reason(JsonObject migrator) {
    var status = migrator.getAsJsonObject("status");
    if (status == null || !status.has("conditions")) {
      return "";
    }
    return status.getAsJsonArray("conditions").asList().stream()
        .map(JsonElement::getAsJsonObject)
        .filter(condition -> text(condition, "type").equals("Ready"))
        .map(condition -> text(condition, "reason"))
        .findFirst()
        .orElse("");
  }

  private static String text(JsonObject object, String member) {
    return object != null && object.has(member) ? object.get(member).getAsString() : "";
  }

  /** How it ended, in a line; waits until its pods have done what they will. */
  String outcome(Optional<JsonObject> migrator) throws ApiException, SQLException {
    var waits = plot == Plot.MIGRATOR_DELETED_MID_RUN;
    if (waits) {
      shop.awaitWaiting(1, IMAGE + last());
    } else {
      shop.awaitRunning(1, IMAGE + last());
    }
    var history =
        migrator.isEmpty()
            ? "the Migrator is gone"
            : migrator.get().getAsJsonObject("status").getAsJsonArray("history").asList().stream()
                .map(run -> text(run.getAsJsonObject(), "result"))
                .collect(Collectors.joining(", "));
    var restarts = shop.pods().stream().mapToInt(Shop::restarts).sum();
    return "%s; %s; %s %s"
        .formatted(
            databases.executions(name),
            history,
            last(),
            restarts > 0 ? "was restarted" : waits ? "waits" : "runs");
  }

  /** How everything stands, as a person would look. */
  String describe() {
    return "%s%n%s".formatted(this, shop.describe());
  }

  private String sample(String version) {
    return lab.kubectl(
            "", "kustomize", Lab.root().resolve("e2e/sample/deploy/" + version).toString())
        .replace("replicas: 3", "replicas: 1")
        .replace(
            "  args:", "  backoffLimit: %d%n  args:".formatted(plot == Plot.FAILS_ONCE ? 1 : 0));
  }

  private void apply(String objects) {
    lab.kubectl(objects, "-n", shop.namespace, "apply", "-f-");
  }

  @Override
  public void close() throws ApiException {
    shop.close();
  }

  @Override
  public String toString() {
    return "%s in %s".formatted(name, shop.namespace);
  }
}
