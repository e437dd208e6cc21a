package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.extended.controller.DefaultController;
import io.kubernetes.client.extended.controller.builder.ControllerBuilder;
import io.kubernetes.client.extended.controller.reconciler.Request;
import io.kubernetes.client.extended.workqueue.DefaultRateLimitingQueue;
import io.kubernetes.client.extended.workqueue.RateLimitingQueue;
import io.kubernetes.client.extended.workqueue.ratelimiter.ItemExponentialFailureRateLimiter;
import io.kubernetes.client.openapi.ApiClient;

/** Reconciles Migrators while this replica leads. */
public final class Controller implements AutoCloseable {
  private static final Duration FIRST_RETRY = Duration.ofMillis(5);
  private static final Duration LONGEST_RETRY = Duration.ofSeconds(15);

  private final Caches caches;
  private final Leadership leadership;
  private final DefaultController controller;
  private final RateLimitingQueue<Request> queue;

  /** Wires it; {@link #start} begins. */
  public Controller(
      ApiClient client,
      ControllerSettings settings,
      Api api,
      Caches caches,
      Observation observation,
      Events events,
      Progress progress) {
    this.caches = caches;
    queue =
        new DefaultRateLimitingQueue<>(
            Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("queue").factory()),
            new ItemExponentialFailureRateLimiter<>(FIRST_RETRY, LONGEST_RETRY));
    controller =
        (DefaultController)
            ControllerBuilder.defaultBuilder(caches.factory())
                .withName("migrator-controller")
                .withReconciler(
                    new Reconciling(
                        caches,
                        observation,
                        new Execution(api.onlyWhile(this::mayAct), observation, events),
                        new Strays(caches, events, progress),
                        progress))
                .withWorkQueue(queue)
                .withWorkerCount(settings.workers())
                .build();
    controller.setWorkerThreadPool(
        Executors.newScheduledThreadPool(
            settings.workers(), Thread.ofPlatform().daemon().name("worker-", 0).factory()));
    leadership = new Leadership(client, settings, this::lead);
    // Followers do not queue: the leader looks at every Migrator when it begins.
    caches.onChange(
        key -> {
          if (leadership.isLeading()) {
            queue.add(request(key));
          }
        });
  }

  /** Stands for election, and reconciles once elected. */
  public void start() {
    leadership.start();
  }

  /** Whether this replica leads. */
  public boolean isLeading() {
    return leadership.isLeading();
  }

  private boolean mayAct() {
    return leadership.mayAct();
  }

  private void lead() {
    caches
        .migrators()
        .forEach(
            migrator ->
                queue.add(
                    new Request(
                        migrator.getMetadata().getNamespace(), migrator.getMetadata().getName())));
    controller.run();
  }

  private static Request request(Key key) {
    return new Request(key.namespace(), key.name());
  }

  /** Lets work under way end, then releases the lease. */
  @Override
  public void close() {
    controller.shutdown();
    leadership.close();
  }
}
