package net.coderanger.migrations.controller;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;
import module java.net.http;

import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.api.Vocabulary;

/**
 * A short story about one Migrator in a namespace of its own. It goes on by what the API server
 * shows and never by what the controller was told, so that it can be told across crashes.
 */
final class CrashStory {
  /** What happens, and how it must end. */
  enum Plot {
    FIRST_MIGRATION("shop:1 once; migrated [shop:1]; MigrationsUpToDate; Succeeded; released"),
    ROLL_OUT_OF_THE_NEXT_IMAGE(
        "shop:1 once, shop:2 once; migrated [shop:2, shop:1]; MigrationsUpToDate; Succeeded,"
            + " Succeeded; released"),
    FAILS_ONCE("shop:1 twice; migrated [shop:1]; MigrationsUpToDate; Succeeded; released"),
    FAILS_FOR_GOOD_AND_IS_FIXED(
        "shop:1 twice; migrated [shop:1]; MigrationsUpToDate; Succeeded, Failed; released"),
    CANNOT_START_AND_IS_REPLACED(
        "shop:2 once; migrated [shop:2]; MigrationsUpToDate; Succeeded, Superseded; released"),
    MIGRATOR_DELETED_MID_RUN("shop:1 once; the Migrator is gone; MigratorDeleted");

    final String outcome;

    Plot(String outcome) {
      this.outcome = outcome;
    }
  }

  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  final Plot plot;
  private final Cluster cluster;
  private final List<String> executions = new ArrayList<>();
  private final Set<String> running = new HashSet<>();
  private Optional<JsonObject> migrator;
  private JsonObject waiting;
  private boolean next;

  CrashStory(Plot plot, String name) throws ApiException {
    this.plot = plot;
    cluster = new Cluster(SharedKube.get(), "crash-" + name.replace('_', '-'));
    migrator =
        Optional.of(
            cluster.migrator(
                "shop",
                "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}},\"successfulJobsHistoryLimit\":0,\"backoffLimit\":%d}"
                    .formatted(plot == Plot.FAILS_ONCE ? 1 : 0)));
    waiting =
        cluster.waitingPod("shop-1", cluster.replicaSet("shop-a", "shop:1", 1), "shop", "shop:1");
  }

  String namespace() {
    return cluster.namespace;
  }

  /** One turn of kubelet, Job controller, garbage collector and user. */
  void goOn() throws ApiException {
    migrator = cluster.findMigrator("shop");
    if (isOver()) {
      return;
    }
    var jobs = cluster.jobs().asList().stream().map(job -> job.getAsJsonObject()).toList();
    for (var job : jobs) {
      if (isLet(job)) {
        runs(job);
      }
      cluster.collectIfGarbage(job);
    }
    userActs(jobs);
  }

  private static boolean isLet(JsonObject job) {
    return !job.getAsJsonObject("spec").get("suspend").getAsBoolean()
        && !job.getAsJsonObject("metadata").has("deletionTimestamp");
  }

  private void runs(JsonObject job) throws ApiException {
    var name = Cluster.name(job);
    var image = image(job);
    if (plot == Plot.CANNOT_START_AND_IS_REPLACED && image.equals("shop:1")) {
      return; // its pod is never made: the image's name is mistyped, the quota is used up, …
    }
    if (running.contains(name)) {
      return;
    }
    assertEquals(List.of(), cluster.runningMigrations(), "two migrations at once in " + this);
    running.add(name);
    executions.add(image);
    var pod = cluster.startPodOf(job);
    if (plot == Plot.MIGRATOR_DELETED_MID_RUN) {
      cluster.deleteMigrator("shop");
    }
    cluster.endPod(pod, exitCode(), "");
    cluster.endJob(job, exitCode() == 0);
  }

  private int exitCode() {
    return (plot == Plot.FAILS_ONCE || plot == Plot.FAILS_FOR_GOOD_AND_IS_FIXED)
            && executions.size() == 1
        ? 1
        : 0;
  }

  private static String image(JsonObject job) {
    return job.getAsJsonObject("metadata")
        .getAsJsonObject("annotations")
        .get(Vocabulary.IMAGE_ANNOTATION)
        .getAsString();
  }

  /** Does the one thing that the plot's user does, once the state is there that it answers. */
  private void userActs(List<JsonObject> jobs) throws ApiException {
    if (next || migrator.isEmpty()) {
      return;
    }
    var reason = Cluster.reason(migrator.get());
    next =
        switch (plot) {
          case ROLL_OUT_OF_THE_NEXT_IMAGE -> reason.equals("MigrationsUpToDate");
          case FAILS_FOR_GOOD_AND_IS_FIXED -> reason.equals("MigrationsFailed");
          case CANNOT_START_AND_IS_REPLACED -> jobs.stream().anyMatch(CrashStory::isLet);
          case FIRST_MIGRATION, FAILS_ONCE, MIGRATOR_DELETED_MID_RUN -> false;
        };
    if (next && plot == Plot.FAILS_FOR_GOOD_AND_IS_FIXED) {
      cluster.patchMigrator("shop", "{\"spec\":{\"args\":[\"fixed\"]}}");
    } else if (next) {
      waiting =
          cluster.waitingPod("shop-2", cluster.replicaSet("shop-b", "shop:2", 2), "shop", "shop:2");
    }
  }

  /** Whether nothing is left to happen, as far as the API server showed at the last turn. */
  boolean isOver() {
    if (plot == Plot.MIGRATOR_DELETED_MID_RUN) {
      return migrator.isEmpty();
    }
    return migrator
        .filter(found -> found.has("status"))
        .filter(
            found ->
                last().equals(text(found.getAsJsonObject("status"), "lastSuccessfulMigration")))
        .filter(found -> Cluster.reason(found).equals("MigrationsUpToDate"))
        .filter(found -> !found.getAsJsonObject("metadata").has("finalizers"))
        .isPresent();
  }

  private String last() {
    return plot == Plot.ROLL_OUT_OF_THE_NEXT_IMAGE || plot == Plot.CANNOT_START_AND_IS_REPLACED
        ? "shop:2"
        : "shop:1";
  }

  private static String text(JsonObject object, String member) {
    return object.has(member) ? object.get(member).getAsString() : "";
  }

  /** How it ended, in a line. */
  String outcome(RunningController controller) throws Exception {
    var counted =
        executions.stream()
            .collect(Collectors.groupingBy(image -> image, TreeMap::new, Collectors.counting()))
            .entrySet()
            .stream()
            .map(
                entry ->
                    entry.getKey()
                        + " "
                        + switch (entry.getValue().intValue()) {
                          case 1 -> "once";
                          case 2 -> "twice";
                          default -> entry.getValue() + " times";
                        })
            .collect(Collectors.joining(", "));
    if (migrator.isEmpty()) {
      return "%s; the Migrator is gone; %s".formatted(counted, told(controller));
    }
    var status = migrator.get().getAsJsonObject("status");
    return "%s; migrated %s; %s; %s; %s"
        .formatted(
            counted,
            status.getAsJsonArray("migratedImages").asList().stream()
                .map(image -> text(image.getAsJsonObject(), "image"))
                .toList(),
            Cluster.reason(migrator.get()),
            status.getAsJsonArray("history").asList().stream()
                .map(run -> text(run.getAsJsonObject(), "result"))
                .collect(Collectors.joining(", ")),
            told(controller));
  }

  /** What the gate tells the pod that waits: its first word, or why it waits. */
  private String told(RunningController controller) throws Exception {
    var request =
        HttpRequest.newBuilder(controller.gate("shop"))
            .header("Authorization", "Bearer " + cluster.token(waiting, Vocabulary.AUDIENCE))
            .build();
    try (var lines = CLIENT.send(request, HttpResponse.BodyHandlers.ofLines()).body()) {
      var line = com.google.gson.JsonParser.parseString(lines.findFirst().orElseThrow());
      return line.getAsJsonObject().has("reason")
          ? line.getAsJsonObject().get("reason").getAsString()
          : line.getAsJsonObject().get("type").getAsString();
    }
  }

  @Override
  public String toString() {
    return "%s: executed %s, then %s".formatted(namespace(), executions, migrator);
  }
}
