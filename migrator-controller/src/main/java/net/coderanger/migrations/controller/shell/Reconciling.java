package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.extended.controller.reconciler.Reconciler;
import io.kubernetes.client.extended.controller.reconciler.Request;
import io.kubernetes.client.extended.controller.reconciler.Result;
import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.controller.core.Decider;
import net.coderanger.migrations.controller.core.Decision;
import net.coderanger.migrations.kube.ApiErrors;

/** Gather, decide, apply: one Migrator at a time. */
final class Reconciling implements Reconciler {
  private static final System.Logger LOG = System.getLogger(Reconciling.class.getName());
  private static final Result DONE = new Result(false);
  private static final Result RETRY = new Result(true);

  /** Until the caches of a namespace are filled. */
  private static final Result NOT_YET = new Result(true, Duration.ofMillis(200));

  /** A requeue of zero would be a back-off; this is as good as at once. */
  private static final Duration SOON = Duration.ofMillis(1);

  private final Caches caches;
  private final Observation observation;
  private final Execution execution;
  private final Strays strays;
  private final Progress progress;

  Reconciling(
      Caches caches,
      Observation observation,
      Execution execution,
      Strays strays,
      Progress progress) {
    this.caches = caches;
    this.observation = observation;
    this.execution = execution;
    this.strays = strays;
    this.progress = progress;
  }

  @Override
  public Result reconcile(Request request) {
    var key = new Key(request.getNamespace(), request.getName());
    var began = System.nanoTime();
    var outcome = "error";
    try {
      var result = reconcile(key);
      outcome = result == DONE ? "done" : "again";
      return result;
    } catch (ApiException e) {
      if (e.getCode() == 409) {
        // Somebody was faster; the caches will show it.
        outcome = "conflict";
        return RETRY;
      }
      if (!ApiErrors.isOutage(e)) {
        LOG.log(System.Logger.Level.WARNING, "Migrator {0}: {1}", key, ApiErrors.describe(e));
      }
      return RETRY;
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.ERROR, "Migrator " + key + " could not be reconciled", e);
      return RETRY;
    } finally {
      progress.reconciled(key, outcome, Duration.ofNanos(System.nanoTime() - began));
    }
  }

  private Result reconcile(Key key) throws ApiException {
    if (!caches.isSynced(key.namespace())) {
      return NOT_YET;
    }
    var migrator = caches.migrator(key);
    if (migrator.isEmpty()) {
      return DONE;
    }
    var seen = observation.cached(migrator.get());
    var decision = Decider.decide(seen);
    strays.tell(key, decision.strays());
    return execution
        .carryOut(migrator.get(), seen, decision)
        .flatMap(Decision::again)
        .map(delay -> new Result(true, delay.compareTo(SOON) < 0 ? SOON : delay))
        .orElse(DONE);
  }
}
