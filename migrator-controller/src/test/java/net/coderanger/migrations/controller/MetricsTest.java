package net.coderanger.migrations.controller;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.helidon.metrics.api.MeterRegistry;
import io.helidon.service.registry.Services;
import net.coderanger.migrations.controller.shell.Key;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private final MeterRegistry registry = Services.get(MeterRegistry.class);

  @Test
  void theFirstPodThatSlippedPastIsAnIncrease() {
    var metrics = new Metrics(registry);
    assertEquals(Optional.of(0L), ungatedPods(), "Prometheus sees no increase where nothing was");
    metrics.slippedPast(new Key("a", "shop"));
    metrics.slippedPast(new Key("b", "shop"));
    assertEquals(Optional.of(2L), ungatedPods());
  }

  private Optional<Long> ungatedPods() {
    return registry
        .counter("migrations_controller_ungated_pods", List.of())
        .map(counter -> counter.count());
  }
}
