package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;

import module java.base;

import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.ServiceProcess;
import net.coderanger.migrations.api.Vocabulary;

/** Shows the controller what production does, for the list of classes in its start-up archive. */
public final class Training {
  private Training() {}

  /**
   * @param command starts the controller
   */
  public static void main(String... command) throws Exception {
    try (var kube = KubeApi.withMigrators()) {
      new Cluster(kube, "migrations-operator");
      var kubeconfig = Files.writeString(Files.createTempFile("kubeconfig", ""), kube.kubeconfig());
      try (var controller = ServiceProcess.of(List.of(command), kubeconfig, Map.of())) {
        var cluster = new Cluster(kube, "training");
        cluster.migrator("shop", "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}}}");
        var pod =
            cluster.waitingPod(
                "shop-1", cluster.replicaSet("shop-a", "shop:1", 1), "shop", "shop:1");
        var token = cluster.token(pod, Vocabulary.AUDIENCE);
        var waiter = CompletableFuture.supplyAsync(() -> ask(controller, token));
        var first = cluster.newJob();
        cluster.endPod(cluster.startPodOf(first), 1, "no");
        cluster.endJob(first, false);
        await().until(() -> cluster.reason("shop").equals("MigrationsRetrying"));
        var second = cluster.newJob(Cluster.name(first));
        cluster.endPod(cluster.startPodOf(second), 0, "");
        cluster.endJob(second, true);
        if (waiter.get(1, TimeUnit.MINUTES) != 200) {
          throw new IllegalStateException("The waiter was not released");
        }
        controller.terminate();
      }
    }
  }

  private static int ask(ServiceProcess controller, String token) {
    try {
      return controller.gate("shop", token);
    } catch (Exception e) {
      throw new CompletionException(e);
    }
  }
}
