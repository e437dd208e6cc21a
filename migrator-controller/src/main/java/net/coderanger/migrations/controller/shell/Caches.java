package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.common.KubernetesListObject;
import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.informer.ListerWatcher;
import io.kubernetes.client.informer.ResourceEventHandler;
import io.kubernetes.client.informer.SharedIndexInformer;
import io.kubernetes.client.informer.SharedInformerFactory;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.util.CallGeneratorParams;
import io.kubernetes.client.util.Watchable;
import io.kubernetes.client.util.generic.GenericKubernetesApi;
import io.kubernetes.client.util.generic.options.ListOptions;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.Migrator;
import net.coderanger.migrations.api.v1beta1.MigratorList;
import net.coderanger.migrations.controller.core.Intent;

/** What the controller watches, kept by informers. */
public final class Caches implements AutoCloseable {
  private static final String BY_NAMESPACE =
      io.kubernetes.client.informer.cache.Caches.NAMESPACE_INDEX;

  private final SharedInformerFactory factory;
  private final SharedIndexInformer<Migrator> migrators;
  private final SharedIndexInformer<WatchedPod> pods;
  private final SharedIndexInformer<WatchedJob> jobs;
  private final SharedIndexInformer<WatchedReplicaSet> replicaSets;

  /** Watches with this client, whose calls must not time out. */
  public Caches(ApiClient client) {
    factory = new SharedInformerFactory(client);
    migrators =
        informer(
            Migrator.class,
            MigratorList.class,
            Vocabulary.GROUP,
            Vocabulary.VERSION,
            Vocabulary.PLURAL,
            client,
            "");
    pods = informer(WatchedPod.class, WatchedList.Pods.class, "", "v1", "pods", client, "");
    jobs =
        informer(
            WatchedJob.class,
            WatchedList.Jobs.class,
            "batch",
            "v1",
            "jobs",
            client,
            Vocabulary.RUN_LABEL);
    replicaSets =
        informer(
            WatchedReplicaSet.class,
            WatchedList.ReplicaSets.class,
            "apps",
            "v1",
            "replicasets",
            client,
            "");
    for (var informer : List.of(migrators, pods, jobs)) {
      informer.setTransform(Caches::trimmed);
    }
    replicaSets.setTransform(Caches::trimmedReplicaSet);
  }

  private <T extends KubernetesObject, L extends KubernetesListObject>
      SharedIndexInformer<T> informer(
          Class<T> type,
          Class<L> list,
          String group,
          String version,
          String plural,
          ApiClient client,
          String labelSelector) {
    var api = new GenericKubernetesApi<>(type, list, group, version, plural, client);
    return factory.sharedIndexInformerFor(
        new ListerWatcher<T, L>() {
          @Override
          public L list(CallGeneratorParams params) throws ApiException {
            return api.list(options(params, labelSelector)).throwsApiException().getObject();
          }

          @Override
          public Watchable<T> watch(CallGeneratorParams params) throws ApiException {
            return api.watch(options(params, labelSelector));
          }
        },
        type,
        0);
  }

  private static ListOptions options(CallGeneratorParams params, String labelSelector) {
    var options = new ListOptions();
    options.setResourceVersion(params.resourceVersion);
    options.setTimeoutSeconds(params.timeoutSeconds);
    if (!labelSelector.isEmpty()) {
      options.setLabelSelector(labelSelector);
    }
    return options;
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

  /** Calls back with the keys of Migrators that a change may concern. */
  public void onChange(Consumer<Key> concerned) {
    migrators.addEventHandler(handler(migrator -> concerned.accept(key(migrator))));
    pods.addEventHandler(handler(pod -> concernedBy(pod).forEach(concerned)));
    jobs.addEventHandler(
        handler(
            job ->
                Optional.ofNullable(
                        Views.orEmpty(job.metadata.getAnnotations())
                            .get(Vocabulary.MIGRATOR_ANNOTATION))
                    .ifPresent(
                        name -> concerned.accept(new Key(job.metadata.getNamespace(), name)))));
  }

  /** Calls back with the key of each Migrator that was added, changed or deleted. */
  public void onMigrator(Consumer<Key> changed) {
    migrators.addEventHandler(handler(migrator -> changed.accept(key(migrator))));
  }

  /** Calls back with the uid of each pod that is gone. */
  public void onPodGone(Consumer<String> gone) {
    pods.addEventHandler(
        new ResourceEventHandler<>() {
          @Override
          public void onAdd(WatchedPod pod) {}

          @Override
          public void onUpdate(WatchedPod before, WatchedPod after) {}

          @Override
          public void onDelete(WatchedPod pod, boolean unknown) {
            gone.accept(pod.metadata.getUid());
          }
        });
  }

  private Stream<Key> concernedBy(WatchedPod pod) {
    var namespace = pod.metadata.getNamespace();
    var run = Views.orEmpty(pod.metadata.getAnnotations()).get(Vocabulary.MIGRATOR_ANNOTATION);
    if (run != null) {
      return Stream.of(new Key(namespace, run));
    }
    var labels = Views.orEmpty(pod.metadata.getLabels());
    return migrators.getIndexer().byIndex(BY_NAMESPACE, namespace).stream()
        .filter(migrator -> Intent.of(migrator).selector().test(labels))
        .map(Caches::key);
  }

  private static <T extends KubernetesObject> ResourceEventHandler<T> handler(Consumer<T> each) {
    return new ResourceEventHandler<>() {
      @Override
      public void onAdd(T object) {
        each.accept(object);
      }

      @Override
      public void onUpdate(T before, T after) {
        // A pod that is no longer selected concerns the Migrator that selected it before; a queue
        // takes a key that is in it already only once.
        each.accept(before);
        each.accept(after);
      }

      @Override
      public void onDelete(T object, boolean unknown) {
        each.accept(object);
      }
    };
  }

  /** Begins to watch. */
  public void start() {
    factory.startAllRegisteredInformers();
  }

  SharedInformerFactory factory() {
    return factory;
  }

  /** Whether every cache has been filled once. */
  public boolean isSynced() {
    return migrators.hasSynced() && pods.hasSynced() && jobs.hasSynced() && replicaSets.hasSynced();
  }

  /** The Migrator, empty when there is none. */
  public Optional<Migrator> migrator(Key key) {
    return Optional.ofNullable(migrators.getIndexer().getByKey(key.toString()));
  }

  /** Every Migrator. */
  public List<Migrator> migrators() {
    return migrators.getIndexer().list();
  }

  List<WatchedPod> pods(String namespace) {
    return pods.getIndexer().byIndex(BY_NAMESPACE, namespace);
  }

  Optional<WatchedPod> pod(String namespace, String name) {
    return Optional.ofNullable(pods.getIndexer().getByKey(namespace + "/" + name));
  }

  List<WatchedJob> jobs(String namespace) {
    return jobs.getIndexer().byIndex(BY_NAMESPACE, namespace);
  }

  Optional<WatchedReplicaSet> replicaSet(String namespace, String name) {
    return Optional.ofNullable(replicaSets.getIndexer().getByKey(namespace + "/" + name));
  }

  private static Key key(Migrator migrator) {
    return new Key(migrator.getMetadata().getNamespace(), migrator.getMetadata().getName());
  }

  @Override
  public void close() {
    factory.stopAllRegisteredInformers();
  }
}
