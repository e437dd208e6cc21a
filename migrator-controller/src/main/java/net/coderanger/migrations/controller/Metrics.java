package net.coderanger.migrations.controller;

import module java.base;

import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.FunctionalCounter;
import io.helidon.metrics.api.Gauge;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import io.helidon.metrics.api.Timer;
import net.coderanger.migrations.controller.shell.Api;
import net.coderanger.migrations.controller.shell.Key;
import net.coderanger.migrations.controller.shell.Progress;

/** The controller's metrics; the names follow Prometheus' conventions. */
final class Metrics implements Api.Observer, Progress {
  private final MeterRegistry registry;

  /**
   * Without labels, and there from the start: increase() does not see a series that begins at 1.
   */
  private final Counter ungatedPods;

  Metrics(MeterRegistry registry) {
    this.registry = registry;
    ungatedPods =
        registry.getOrCreate(
            Counter.builder("migrations_controller_ungated_pods")
                .description("Pods of an unmigrated image that were made without a waiter"));
  }

  /** A gauge that is read whenever it is scraped. */
  void gauge(String name, String description, Supplier<? extends Number> value) {
    registry.getOrCreate(Gauge.builder(name, value).description(description));
  }

  /**
   * A counter that is read of this object whenever it is scraped; somebody else has to keep the
   * object. "_total" is added to the name.
   */
  <T> void counter(String name, String description, T object, Function<T, Long> count) {
    registry.getOrCreate(FunctionalCounter.builder(name, object, count).description(description));
  }

  @Override
  public void after(String verb, String path, int status) {
    registry
        .getOrCreate(
            Counter.builder("migrations_controller_api_requests")
                .description("Calls to the API server, watches left out")
                .addTag(Tag.create("verb", verb))
                .addTag(Tag.create("code", String.valueOf(status))))
        .increment();
  }

  @Override
  public void reconciled(Key key, String outcome, Duration took) {
    registry
        .getOrCreate(
            Timer.builder("migrations_controller_reconcile")
                .description("Reconciles of a Migrator, by how they ended")
                .addTag(Tag.create("outcome", outcome)))
        .record(took);
  }

  @Override
  public void slippedPast(Key key) {
    ungatedPods.increment();
  }
}
