package net.coderanger.migrations.e2e;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonObject;
import io.helidon.logging.common.LogConfig;
import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.controller.Crashes;
import net.coderanger.migrations.controller.RunningController;
import net.coderanger.migrations.e2e.CrashTale.Plot;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * The controller stops before and after each of its writes, in every story; the deployed one takes
 * over with nothing but what the API server holds. PostgreSQL counts the migrations, and the pods
 * that run are those of the undisturbed story. CrashPointsIT does the same with a kubelet that is
 * played, at all points; here -Dcrash.points=all takes half an hour.
 */
@Isolated // there is no controller for a while, and then one that crashes
class CrashPointsE2E {
  private static final String POINTS = System.getProperty("crash.points", "some");

  /** Each story has at least so many writes. */
  private static final int FEWEST_WRITES = 4;

  private static final String SERVICE =
      "/apis/apps/v1/namespaces/migrations-operator/deployments/migrator-controller";
  private static final String PODS =
      "/api/v1/namespaces/migrations-operator/pods?labelSelector=app.kubernetes.io/name%3Dmigrator-controller";

  private final Lab lab = Lab.withOperator();
  private int replicas;

  @BeforeAll
  static void quiet() {
    LogConfig.configureRuntime(); // as logging-test.properties says
  }

  @Test
  void whereverTheControllerStopsPostgresCountsTheSame() throws Exception {
    replicas = lab.get(SERVICE).getAsJsonObject("spec").get("replicas").getAsInt();
    try (var databases = new Databases(lab)) {
      if (POINTS.equals("all")) {
        var total = 0;
        var reached = 1;
        for (var write = 1; reached > 0; write++) {
          var points = new ArrayList<Map.Entry<Plot, Crashes.Point>>();
          for (var plot : Plot.values()) {
            points.add(Map.entry(plot, new Crashes.Point(write, false)));
            points.add(Map.entry(plot, new Crashes.Point(write, true)));
          }
          reached = tell(databases, points);
          total += reached;
        }
        System.out.printf("crashed at %d points, which is all%n", total);
      } else {
        var seed = Long.getLong("crash.seed", System.nanoTime());
        System.out.println("crashes with -Dcrash.seed=" + seed);
        var random = new Random(seed);
        var points =
            Stream.of(Plot.values())
                .map(
                    plot ->
                        Map.entry(
                            plot,
                            new Crashes.Point(
                                1 + random.nextInt(FEWEST_WRITES), random.nextBoolean())))
                .toList();
        assertEquals(points.size(), tell(databases, points), "points that were reached");
      }
    } finally {
      scale(replicas);
      lab.awaitOperator();
    }
  }

  /** Tells these stories across the crash of each; answers how many crashed. */
  private int tell(Databases databases, List<Map.Entry<Plot, Crashes.Point>> points)
      throws Exception {
    scale(0);
    var tales = new LinkedHashMap<CrashTale, Crashes.Point>();
    try {
      for (var point : points) {
        tales.put(tale(databases, point.getKey(), point.getValue()), point.getValue());
      }
      var crashes =
          new Crashes(
              tales.entrySet().stream()
                  .collect(Collectors.toMap(it -> it.getKey().namespace(), Map.Entry::getValue)));
      try (var _ = new RunningController(lab::newClient, "migrations-operator", crashes)) {
        goOn(
            tales.keySet(),
            (tale, migrator) -> crashes.hasCrashed(tale.namespace()) || tale.isMigrated(migrator));
      }
      for (var tale : tales.keySet()) {
        System.out.println(
            tale + (crashes.hasCrashed(tale.namespace()) ? ": crashed" : ": has no such point"));
      }
      scale(replicas);
      goOn(tales.keySet(), CrashTale::isMigrated);
      for (var tale : tales.keySet()) {
        assertEquals(tale.plot.outcome, tale.outcome(migrator(tale.namespace())), tale::describe);
      }
      return crashes.count();
    } finally {
      for (var tale : tales.keySet()) {
        tale.close();
      }
    }
  }

  private CrashTale tale(Databases databases, Plot plot, Crashes.Point point) throws Exception {
    var name =
        "%s_%s_%d"
            .formatted(
                plot.name().toLowerCase(Locale.ROOT),
                point.after() ? "after" : "before",
                point.write());
    return new CrashTale(lab, databases, plot, name);
  }

  private void goOn(Set<CrashTale> tales, BiPredicate<CrashTale, Optional<JsonObject>> end) {
    var left = new ArrayList<>(tales);
    try {
      lab.awaitThat(
          "all stories end",
          () -> {
            var migrators =
                lab.list("/apis/migrations.coderanger.net/v1beta1/migrators").stream()
                    .collect(Collectors.toMap(CrashPointsE2E::namespace, it -> it));
            var jobs =
                lab.list("/apis/batch/v1/jobs").stream()
                    .collect(Collectors.groupingBy(CrashPointsE2E::namespace));
            for (var tale : List.copyOf(left)) {
              var migrator = Optional.ofNullable(migrators.get(tale.namespace()));
              if (end.test(tale, migrator)) {
                left.remove(tale);
              } else {
                tale.goOn(migrator, jobs.getOrDefault(tale.namespace(), List.of()));
              }
            }
            return left.isEmpty();
          });
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      throw new AssertionError(
          "these do not end: "
              + left.stream().map(CrashTale::describe).collect(Collectors.joining("\n")),
          e);
    }
  }

  private Optional<JsonObject> migrator(String namespace) throws ApiException {
    return lab.find(
        "/apis/migrations.coderanger.net/v1beta1/namespaces/%s/migrators/shop"
            .formatted(namespace));
  }

  private static String namespace(JsonObject object) {
    return object.getAsJsonObject("metadata").get("namespace").getAsString();
  }

  /** Returns once there are no more and no fewer. */
  private void scale(int replicas) throws ApiException {
    lab.patch(SERVICE, "{\"spec\":{\"replicas\":%d}}".formatted(replicas));
    if (replicas == 0) {
      lab.awaitThat("the controller is gone", () -> lab.list(PODS).isEmpty());
    } else {
      lab.awaitRolledOut("migrations-operator");
    }
  }
}
