package net.coderanger.migrations.injector.shell;

import module java.base;

import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.models.V1ConfigMap;
import io.kubernetes.client.openapi.models.V1ConfigMapList;
import io.kubernetes.client.openapi.models.V1Service;
import io.kubernetes.client.openapi.models.V1ServiceList;
import io.kubernetes.client.util.generic.GenericKubernetesApi;
import net.coderanger.migrations.injector.core.Gate;
import net.coderanger.migrations.injector.core.KnownMigrator;

/** The cluster as informers show it. */
public final class LiveCluster implements Cluster {
  /** The key that every publisher of a CA uses: cert-manager, OLM, our controller. */
  private static final String CA_KEY = "ca.crt";

  /** A headless Service has this for an address. */
  private static final String HEADLESS = "None";

  private static final Duration GLANCE = Duration.ofMillis(50);

  private final Migrators migrators;
  private final GateCa ca = new GateCa();
  private final BooleanSupplier serviceSynced;
  private volatile Optional<String> address = Optional.empty();

  private LiveCluster(InjectorSettings settings, ApiClient client) {
    migrators = Migrators.watch(settings.namespaces(), client);
    var namespace = Optional.of(settings.namespace());
    var services =
        new GenericKubernetesApi<>(
            V1Service.class, V1ServiceList.class, "", "v1", "services", client);
    serviceSynced =
        new NamedObject<>(V1Service.class, services, namespace, settings.gateService())
            .watch(client, it -> address = it.flatMap(LiveCluster::address));
    if (settings.gateCaFile().isPresent()) {
      ca.follow(settings.gateCaFile().get(), settings.tls().poll());
      return;
    }
    var configMaps =
        new GenericKubernetesApi<>(
            V1ConfigMap.class, V1ConfigMapList.class, "", "v1", "configmaps", client);
    new NamedObject<>(V1ConfigMap.class, configMaps, namespace, settings.gateCaConfigMap())
        .watch(client, it -> it.map(LiveCluster::ca).ifPresent(ca::offer));
  }

  /**
   * Begins to watch.
   *
   * @param client without read timeout
   */
  public static LiveCluster watch(InjectorSettings settings, ApiClient client) {
    return new LiveCluster(settings, client);
  }

  @Override
  public boolean isSynced() {
    return migrators.isSynced() && serviceSynced.getAsBoolean();
  }

  @Override
  public boolean isSynced(String namespace) {
    return migrators.isSynced(namespace) && serviceSynced.getAsBoolean();
  }

  /**
   * Waits until {@link #isSynced}, as long as it takes: the API server may start after us.
   *
   * @throws InterruptedException when interrupted while waiting
   */
  public void awaitSync() throws InterruptedException {
    while (!isSynced()) {
      Thread.sleep(GLANCE);
    }
  }

  @Override
  public List<KnownMigrator> migrators(String namespace) {
    return migrators.in(namespace);
  }

  @Override
  public Optional<Gate> gate() {
    return ca.pem().map(it -> new Gate(it, address));
  }

  /** How many Migrators there are, in all namespaces that are watched. */
  public int migratorCount() {
    return migrators.count();
  }

  /** How many of the listed namespaces the API server refuses at present. */
  public int refusedNamespaces() {
    return migrators.refused();
  }

  private static String ca(V1ConfigMap map) {
    return map.getData() == null ? "" : map.getData().getOrDefault(CA_KEY, "");
  }

  private static Optional<String> address(V1Service service) {
    return Optional.ofNullable(service.getSpec().getClusterIP())
        .filter(it -> !it.isEmpty() && !it.equals(HEADLESS));
  }
}
