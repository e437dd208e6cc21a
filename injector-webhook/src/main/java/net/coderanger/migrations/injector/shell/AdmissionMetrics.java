package net.coderanger.migrations.injector.shell;

import module java.base;

import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.FunctionalCounter;
import io.helidon.metrics.api.Gauge;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import io.helidon.metrics.api.Timer;
import net.coderanger.migrations.kube.Doorkeeper;
import net.coderanger.migrations.kube.ServingTls;

/** What Prometheus is told. */
public final class AdmissionMetrics {
  private static final String PREFIX = "migrations_injector_";

  /** How a review ended; the label's value is the name in lower case. */
  enum Result {
    PATCHED,
    UNTOUCHED,
    REFUSED,
    /** What was sent is no AdmissionReview. */
    MALFORMED,
    /** A failure of ours. */
    FAILED
  }

  private final MeterRegistry registry;
  private final Map<Result, Counter> admissions = new EnumMap<>(Result.class);
  private final Timer duration;

  /**
   * @param registry that the server's metrics endpoint shows
   */
  public AdmissionMetrics(MeterRegistry registry) {
    this.registry = registry;
    for (var result : Result.values()) {
      var outcome = Tag.create("outcome", result.name().toLowerCase(Locale.ROOT));
      admissions.put(
          result,
          registry.getOrCreate(
              Counter.builder(PREFIX + "admissions")
                  .description("Admission reviews, by how they ended.")
                  .addTag(outcome)));
    }
    duration =
        registry.getOrCreate(
            Timer.builder(PREFIX + "admission_duration")
                .description("Time from the request's head to the answer.")
                .buckets(
                    IntStream.of(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 3000)
                        .mapToObj(Duration::ofMillis)
                        .toArray(Duration[]::new)));
  }

  void count(Result result, Duration took) {
    admissions.get(result).increment();
    duration.record(took);
  }

  /** Adds what is read when Prometheus asks. */
  void observe(Doorkeeper doorkeeper) {
    registry.getOrCreate(
        FunctionalCounter.builder(
                PREFIX + "connections_cut", doorkeeper, it -> (long) it.sentAway())
            .description("Connections that were hung up on because they kept us waiting."));
  }

  /** Adds what is read when Prometheus asks. */
  public void observe(LiveCluster cluster, ServingTls tls) {
    registry.getOrCreate(
        Gauge.builder(PREFIX + "migrators", cluster::migratorCount)
            .description("Migrators known, in all namespaces that are watched."));
    registry.getOrCreate(
        Gauge.builder(PREFIX + "namespaces_refused", cluster::refusedNamespaces)
            .description("Listed namespaces that do not exist or where the rights are missing."));
    registry.getOrCreate(
        Gauge.builder(
                PREFIX + "certificate_not_after_seconds", () -> tls.notAfter().getEpochSecond())
            .description("When the serving certificate ends to be valid, in Unix time."));
    registry.getOrCreate(
        Gauge.builder(PREFIX + "certificate_fault", () -> tls.fault().isPresent() ? 1 : 0)
            .description("1 while a new serving certificate cannot be used; the log says why."));
  }
}
