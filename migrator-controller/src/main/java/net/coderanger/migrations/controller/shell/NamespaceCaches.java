package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.common.KubernetesListObject;
import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.informer.SharedIndexInformer;
import io.kubernetes.client.informer.SharedInformerFactory;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.util.generic.GenericKubernetesApi;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.Migrator;
import net.coderanger.migrations.api.v1beta1.MigratorList;
import net.coderanger.migrations.kube.NamespaceWatch;

/** What is watched in one namespace, or in all of them at once. */
final class NamespaceCaches {
  private final ApiClient client;
  private final String namespace;
  private final SharedInformerFactory factory;
  private final NamespaceWatch<Migrator, MigratorList> migrators;
  private final NamespaceWatch<WatchedPod, WatchedList.Pods> pods;
  private final NamespaceWatch<WatchedJob, WatchedList.Jobs> jobs;
  private final NamespaceWatch<WatchedReplicaSet, WatchedList.ReplicaSets> replicaSets;

  /**
   * Registers the informers.
   *
   * @param namespace empty for all
   */
  NamespaceCaches(ApiClient client, String namespace) {
    this.client = client;
    this.namespace = namespace;
    factory = new SharedInformerFactory(client);
    migrators =
        watch(
            Migrator.class,
            MigratorList.class,
            Vocabulary.GROUP,
            Vocabulary.VERSION,
            Vocabulary.PLURAL,
            "");
    pods = watch(WatchedPod.class, WatchedList.Pods.class, "", "v1", "pods", "");
    jobs =
        watch(
            WatchedJob.class, WatchedList.Jobs.class, "batch", "v1", "jobs", Vocabulary.RUN_LABEL);
    replicaSets =
        watch(
            WatchedReplicaSet.class,
            WatchedList.ReplicaSets.class,
            "apps",
            "v1",
            "replicasets",
            "");
    for (var informer : List.of(migrators(), pods(), jobs())) {
      informer.setTransform(NamespaceCaches::trimmed);
    }
    replicaSets().setTransform(NamespaceCaches::trimmedReplicaSet);
  }

  private <T extends KubernetesObject, L extends KubernetesListObject> NamespaceWatch<T, L> watch(
      Class<T> type,
      Class<L> list,
      String group,
      String version,
      String plural,
      String labelSelector) {
    var api = new GenericKubernetesApi<>(type, list, group, version, plural, client);
    return new NamespaceWatch<>(factory, type, api, plural, namespace, labelSelector);
  }

  private static KubernetesObject trimmed(KubernetesObject object) {
    var metadata = object.getMetadata();
    metadata.setManagedFields(null);
    if (metadata.getAnnotations() != null) {
      metadata.getAnnotations().remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    return object;
  }

  private static KubernetesObject trimmedReplicaSet(KubernetesObject object) {
    var replicaSet = (WatchedReplicaSet) trimmed(object);
    if (replicaSet.spec != null
        && (replicaSet.spec.replicas == null || replicaSet.spec.replicas == 0)) {
      // Most are the past of a Deployment; where a pod is left after all, it is read live.
      replicaSet.spec.template = null;
    }
    return replicaSet;
  }

  SharedIndexInformer<Migrator> migrators() {
    return migrators.informer();
  }

  SharedIndexInformer<WatchedPod> pods() {
    return pods.informer();
  }

  SharedIndexInformer<WatchedJob> jobs() {
    return jobs.informer();
  }

  SharedIndexInformer<WatchedReplicaSet> replicaSets() {
    return replicaSets.informer();
  }

  SharedInformerFactory factory() {
    return factory;
  }

  /** Whether each of the caches has been filled once. */
  boolean isSynced() {
    return all().allMatch(NamespaceWatch::isSynced);
  }

  /** Whether the API server refuses one of the lists. */
  boolean isRefused() {
    return all().anyMatch(NamespaceWatch::isRefused);
  }

  private Stream<NamespaceWatch<?, ?>> all() {
    return Stream.of(migrators, pods, jobs, replicaSets);
  }

  void start() {
    factory.startAllRegisteredInformers();
  }

  void stop() {
    factory.stopAllRegisteredInformers();
  }
}
