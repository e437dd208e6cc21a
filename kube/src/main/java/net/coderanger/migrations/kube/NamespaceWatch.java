package net.coderanger.migrations.kube;

import module java.base;

import io.kubernetes.client.common.KubernetesListObject;
import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.informer.ListerWatcher;
import io.kubernetes.client.informer.SharedIndexInformer;
import io.kubernetes.client.informer.SharedInformerFactory;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.util.CallGeneratorParams;
import io.kubernetes.client.util.Watchable;
import io.kubernetes.client.util.generic.GenericKubernetesApi;
import io.kubernetes.client.util.generic.options.ListOptions;

/**
 * Objects of one kind in one namespace, or in all, kept by an informer.
 *
 * <p>With rights by Role a namespace that does not exist yet cannot be listed: the API server
 * answers 403, as where the Role is missing. This is told once, and asked again until it succeeds.
 */
public final class NamespaceWatch<T extends KubernetesObject, L extends KubernetesListObject> {
  private static final System.Logger LOG = System.getLogger(NamespaceWatch.class.getName());
  private static final int FORBIDDEN = 403;

  /** Between two questions for a namespace that is refused, besides the informer's own second. */
  private static final Duration PAUSE = Duration.ofSeconds(4);

  private final GenericKubernetesApi<T, L> api;
  private final String what;
  private final String namespace;
  private final String labelSelector;
  private final SharedIndexInformer<T> informer;
  private final Recurring listing;
  private volatile boolean refused;

  /**
   * Registers the informer; it begins when the factory does.
   *
   * @param factory of this namespace alone: it keeps one informer of a type
   * @param what the kind, in the plural, for the log
   * @param namespace empty for all
   * @param labelSelector empty for all objects
   */
  public NamespaceWatch(
      SharedInformerFactory factory,
      Class<T> type,
      GenericKubernetesApi<T, L> api,
      String what,
      String namespace,
      String labelSelector) {
    this.api = api;
    this.what = what;
    this.namespace = namespace;
    this.labelSelector = labelSelector;
    listing = new Recurring(LOG, "Watching %s again".formatted(described()));
    informer =
        factory.sharedIndexInformerFor(
            new ListerWatcher<T, L>() {
              @Override
              public L list(CallGeneratorParams params) throws ApiException {
                return listed(params);
              }

              @Override
              public Watchable<T> watch(CallGeneratorParams params) throws ApiException {
                return namespace.isEmpty()
                    ? api.watch(options(params))
                    : api.watch(namespace, options(params));
              }
            },
            type,
            0,
            (_, e) -> failed(e));
  }

  /** The informer, for handlers and the cache. */
  public SharedIndexInformer<T> informer() {
    return informer;
  }

  /** Whether the cache has been filled once. */
  public boolean isSynced() {
    return informer.hasSynced();
  }

  /** Whether the API server has refused the last list of the one namespace. */
  public boolean isRefused() {
    return refused;
  }

  private L listed(CallGeneratorParams params) throws ApiException {
    if (refused) {
      pause();
    }
    var answer =
        namespace.isEmpty() ? api.list(options(params)) : api.list(namespace, options(params));
    refused = !namespace.isEmpty() && answer.getHttpStatusCode() == FORBIDDEN;
    var list = ApiErrors.objectOf(answer);
    listing.succeeded();
    return list;
  }

  private static void pause() throws ApiException {
    try {
      Thread.sleep(PAUSE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ApiException(e);
    }
  }

  /** The informer tries again every second. */
  private void failed(Throwable e) {
    if (refused) {
      listing.failed(
          described()
              + " cannot be watched: the namespace does not exist, or no Role there gives this"
              + " service the right; it is asked for again and again");
    } else {
      listing.failed(described() + " cannot be watched", e);
    }
  }

  private String described() {
    return what + (namespace.isEmpty() ? " of all namespaces" : " of namespace " + namespace);
  }

  private ListOptions options(CallGeneratorParams params) {
    var options = new ListOptions();
    options.setResourceVersion(params.resourceVersion);
    options.setTimeoutSeconds(params.timeoutSeconds);
    if (!labelSelector.isEmpty()) {
      options.setLabelSelector(labelSelector);
    }
    return options;
  }
}
