package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.informer.ResourceEventHandler;
import io.kubernetes.client.informer.SharedIndexInformer;
import io.kubernetes.client.informer.SharedInformerFactory;
import io.kubernetes.client.openapi.ApiClient;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.Migrator;
import net.coderanger.migrations.controller.core.Intent;
import net.coderanger.migrations.kube.Namespaces;

/** What the controller watches, kept by informers. */
public final class Caches implements AutoCloseable {
  private static final String BY_NAMESPACE =
      io.kubernetes.client.informer.cache.Caches.NAMESPACE_INDEX;

  private final Namespaces namespaces;
  private final Map<String, NamespaceCaches> watched;

  /** Watches these namespaces with this client, whose calls must not time out. */
  public Caches(ApiClient client, Namespaces namespaces) {
    this.namespaces = namespaces;
    watched =
        namespaces.watched().stream()
            .collect(
                Collectors.toMap(
                    Function.identity(), namespace -> new NamespaceCaches(client, namespace)));
  }

  /** Calls back with the keys of Migrators that a change may concern. */
  public void onChange(Consumer<Key> concerned) {
    for (var each : watched.values()) {
      each.migrators().addEventHandler(handler(migrator -> concerned.accept(key(migrator))));
      each.pods().addEventHandler(handler(pod -> concernedBy(pod).forEach(concerned)));
      each.jobs().addEventHandler(handler(job -> concernedBy(job).ifPresent(concerned)));
    }
  }

  /** Calls back with the key of each Migrator that was added, changed or deleted. */
  public void onMigrator(Consumer<Key> changed) {
    var handler = handler((Migrator migrator) -> changed.accept(key(migrator)));
    watched.values().forEach(each -> each.migrators().addEventHandler(handler));
  }

  /** Calls back with the uid of each pod that is gone. */
  public void onPodGone(Consumer<String> gone) {
    var handler =
        new ResourceEventHandler<WatchedPod>() {
          @Override
          public void onAdd(WatchedPod pod) {}

          @Override
          public void onUpdate(WatchedPod before, WatchedPod after) {}

          @Override
          public void onDelete(WatchedPod pod, boolean unknown) {
            gone.accept(pod.metadata.getUid());
          }
        };
    watched.values().forEach(each -> each.pods().addEventHandler(handler));
  }

  private Stream<Key> concernedBy(WatchedPod pod) {
    var namespace = pod.metadata.getNamespace();
    var run = Views.orEmpty(pod.metadata.getAnnotations()).get(Vocabulary.MIGRATOR_ANNOTATION);
    if (run != null) {
      return Stream.of(new Key(namespace, run));
    }
    var labels = Views.orEmpty(pod.metadata.getLabels());
    return in(namespace, NamespaceCaches::migrators).stream()
        .filter(migrator -> Intent.of(migrator).selector().test(labels))
        .map(Caches::key);
  }

  private static Optional<Key> concernedBy(WatchedJob job) {
    return Optional.ofNullable(
            Views.orEmpty(job.metadata.getAnnotations()).get(Vocabulary.MIGRATOR_ANNOTATION))
        .map(name -> new Key(job.metadata.getNamespace(), name));
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
    watched.values().forEach(NamespaceCaches::start);
  }

  /** One of them: what the work queue's library asks for and does not use. */
  SharedInformerFactory factory() {
    return watched.values().iterator().next().factory();
  }

  /**
   * Whether everything that may be seen has been seen once. A listed namespace that the API server
   * refuses, since it does not exist yet or has no Role for us, does not keep the others waiting.
   */
  public boolean isSynced() {
    return watched.values().stream().allMatch(each -> each.isSynced() || each.isRefused());
  }

  /** Whether what is known of this namespace can be built on. */
  public boolean isSynced(String namespace) {
    return of(namespace).filter(NamespaceCaches::isSynced).isPresent();
  }

  /** Whether this namespace is among those that are watched. */
  public boolean include(String namespace) {
    return namespaces.include(namespace);
  }

  /** How many of the listed namespaces the API server refuses at present. */
  public int refused() {
    return (int) watched.values().stream().filter(NamespaceCaches::isRefused).count();
  }

  /** The Migrator, empty when there is none. */
  public Optional<Migrator> migrator(Key key) {
    return find(key.namespace(), key.name(), NamespaceCaches::migrators);
  }

  /** Every Migrator. */
  public List<Migrator> migrators() {
    return watched.values().stream()
        .flatMap(each -> each.migrators().getIndexer().list().stream())
        .toList();
  }

  List<WatchedPod> pods(String namespace) {
    return in(namespace, NamespaceCaches::pods);
  }

  Optional<WatchedPod> pod(String namespace, String name) {
    return find(namespace, name, NamespaceCaches::pods);
  }

  List<WatchedJob> jobs(String namespace) {
    return in(namespace, NamespaceCaches::jobs);
  }

  Optional<WatchedReplicaSet> replicaSet(String namespace, String name) {
    return find(namespace, name, NamespaceCaches::replicaSets);
  }

  private Optional<NamespaceCaches> of(String namespace) {
    return Optional.ofNullable(watched.get(namespaces.isAll() ? "" : namespace));
  }

  private <T extends KubernetesObject> List<T> in(
      String namespace, Function<NamespaceCaches, SharedIndexInformer<T>> kind) {
    return of(namespace)
        .map(each -> kind.apply(each).getIndexer().byIndex(BY_NAMESPACE, namespace))
        .orElse(List.of());
  }

  private <T extends KubernetesObject> Optional<T> find(
      String namespace, String name, Function<NamespaceCaches, SharedIndexInformer<T>> kind) {
    return of(namespace)
        .map(each -> kind.apply(each).getIndexer().getByKey(namespace + "/" + name));
  }

  private static Key key(Migrator migrator) {
    return new Key(migrator.getMetadata().getNamespace(), migrator.getMetadata().getName());
  }

  @Override
  public void close() {
    watched.values().forEach(NamespaceCaches::stop);
  }
}
