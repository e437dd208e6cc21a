package net.coderanger.migrations.injector.shell;

import module java.base;

import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.informer.ResourceEventHandler;
import io.kubernetes.client.informer.SharedInformerFactory;
import io.kubernetes.client.informer.cache.Caches;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import io.kubernetes.client.util.generic.GenericKubernetesApi;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.Migrator;
import net.coderanger.migrations.api.v1beta1.MigratorList;
import net.coderanger.migrations.api.v1beta1.MigratorSpec;
import net.coderanger.migrations.injector.core.KnownMigrator;
import net.coderanger.migrations.kube.NamespaceWatch;
import net.coderanger.migrations.kube.Namespaces;
import net.coderanger.migrations.kube.Selector;

/**
 * All Migrators that we are to know, cached without what injection does not read, each selector
 * compiled once.
 */
final class Migrators {
  private static final System.Logger LOG = System.getLogger(Migrators.class.getName());

  /** A Migrator and what became of it; stands as long as the cache holds the same object. */
  private record Compiled(Migrator of, KnownMigrator known) {}

  private final Namespaces namespaces;
  private final Map<String, NamespaceWatch<Migrator, MigratorList>> watched = new HashMap<>();
  private final Map<String, Compiled> compiled = new ConcurrentHashMap<>();

  private Migrators(Namespaces namespaces) {
    this.namespaces = namespaces;
  }

  /**
   * Begins to watch.
   *
   * @param client without read timeout
   */
  static Migrators watch(Namespaces namespaces, ApiClient client) {
    var migrators = new Migrators(namespaces);
    namespaces.watched().forEach(namespace -> migrators.watch(namespace, client));
    return migrators;
  }

  private void watch(String namespace, ApiClient client) {
    var api =
        new GenericKubernetesApi<>(
            Migrator.class,
            MigratorList.class,
            Vocabulary.GROUP,
            Vocabulary.VERSION,
            Vocabulary.PLURAL,
            client);
    var factory = new SharedInformerFactory(client);
    var watch =
        new NamespaceWatch<>(factory, Migrator.class, api, Vocabulary.PLURAL, namespace, "");
    watch.informer().setTransform(Migrators::trimmed);
    watch.informer().addEventHandler(new Forgetting());
    watched.put(namespace, watch);
    factory.startAllRegisteredInformers();
  }

  /**
   * Whether all that may be seen is known. A listed namespace that the API server refuses, since it
   * does not exist yet or has no Role for us, does not keep the others waiting.
   */
  boolean isSynced() {
    return watched.values().stream().allMatch(it -> it.isSynced() || it.isRefused());
  }

  /** Whether the Migrators of this namespace are known. */
  boolean isSynced(String namespace) {
    return of(namespace).filter(NamespaceWatch::isSynced).isPresent();
  }

  int count() {
    return watched.values().stream()
        .mapToInt(it -> it.informer().getIndexer().listKeys().size())
        .sum();
  }

  /** How many of the listed namespaces the API server refuses at present. */
  int refused() {
    return (int) watched.values().stream().filter(NamespaceWatch::isRefused).count();
  }

  List<KnownMigrator> in(String namespace) {
    return of(namespace).stream()
        .flatMap(
            it -> it.informer().getIndexer().byIndex(Caches.NAMESPACE_INDEX, namespace).stream())
        .map(this::known)
        .toList();
  }

  private Optional<NamespaceWatch<Migrator, MigratorList>> of(String namespace) {
    return Optional.ofNullable(watched.get(namespaces.isAll() ? "" : namespace));
  }

  private KnownMigrator known(Migrator migrator) {
    return compiled.compute(key(migrator), (_, before) -> compile(migrator, before)).known();
  }

  private static Compiled compile(Migrator migrator, Compiled before) {
    if (before != null && before.of() == migrator) {
      return before;
    }
    // Most changes are the controller's, of the status.
    if (before != null && Objects.equals(before.of().getSpec(), migrator.getSpec())) {
      return new Compiled(migrator, before.known());
    }
    return new Compiled(migrator, compile(migrator));
  }

  private static KnownMigrator compile(Migrator migrator) {
    var name = migrator.getMetadata().getName();
    try {
      return new KnownMigrator.Selecting(name, Selector.of(migrator.getSpec().getSelector()));
    } catch (IllegalArgumentException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          "Migrator %s selects nothing: %s".formatted(key(migrator), e.getMessage()));
      return new KnownMigrator.Unusable(name, e.getMessage());
    }
  }

  /** Only what identifies it and its selector; a status may hold a hundred images. */
  private static Migrator trimmed(KubernetesObject object) {
    var whole = (Migrator) object;
    var spec = new MigratorSpec();
    if (whole.getSpec() != null) {
      spec.setSelector(whole.getSpec().getSelector());
    }
    var trimmed = new Migrator();
    trimmed.setMetadata(
        new V1ObjectMeta()
            .namespace(whole.getMetadata().getNamespace())
            .name(whole.getMetadata().getName())
            .uid(whole.getMetadata().getUid())
            .resourceVersion(whole.getMetadata().getResourceVersion()));
    trimmed.setSpec(spec);
    return trimmed;
  }

  private static String key(Migrator migrator) {
    return migrator.getMetadata().getNamespace() + "/" + migrator.getMetadata().getName();
  }

  private final class Forgetting implements ResourceEventHandler<Migrator> {
    @Override
    public void onAdd(Migrator migrator) {
      known(migrator);
    }

    @Override
    public void onUpdate(Migrator before, Migrator after) {
      known(after);
    }

    @Override
    public void onDelete(Migrator migrator, boolean finalStateUnknown) {
      compiled.remove(key(migrator));
    }
  }
}
