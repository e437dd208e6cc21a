package net.coderanger.migrations.injector.shell;

import module java.base;

import io.kubernetes.client.common.KubernetesListObject;
import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.informer.ListerWatcher;
import io.kubernetes.client.informer.ResourceEventHandler;
import io.kubernetes.client.informer.SharedInformerFactory;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.util.CallGeneratorParams;
import io.kubernetes.client.util.Watchable;
import io.kubernetes.client.util.generic.GenericKubernetesApi;
import io.kubernetes.client.util.generic.options.ListOptions;
import net.coderanger.migrations.kube.ApiErrors;
import net.coderanger.migrations.kube.Recurring;

/**
 * One object, by name, as list and watch show it. Rights on resourceNames suffice for them, since
 * the field selector names the object.
 */
final class NamedObject<T extends KubernetesObject, L extends KubernetesListObject>
    implements ListerWatcher<T, L> {
  private static final System.Logger LOG = System.getLogger(NamedObject.class.getName());

  private final Class<T> type;
  private final GenericKubernetesApi<T, L> api;
  private final Optional<String> namespace;
  private final String name;
  private final String described;
  private final Recurring listing;

  /**
   * Not watched yet.
   *
   * @param namespace of the object; empty for an object of the whole cluster
   */
  NamedObject(
      Class<T> type, GenericKubernetesApi<T, L> api, Optional<String> namespace, String name) {
    this.type = type;
    this.api = api;
    this.namespace = namespace;
    this.name = name;
    described = type.getSimpleName().replaceFirst("^V1", "") + " " + name;
    listing = new Recurring(LOG, "Watching " + described + " again");
  }

  /**
   * Begins to watch.
   *
   * @param client without read timeout
   * @param listener gets the object with each change, and empty when it is gone; not called as long
   *     as the object does not exist
   * @return whether the first list has been read
   */
  BooleanSupplier watch(ApiClient client, Consumer<Optional<T>> listener) {
    var factory = new SharedInformerFactory(client);
    var informer =
        factory.sharedIndexInformerFor(
            this, type, 0, (_, e) -> listing.failed(described + " cannot be watched", e));
    informer.addEventHandler(
        new ResourceEventHandler<>() {
          @Override
          public void onAdd(T object) {
            listener.accept(Optional.of(object));
          }

          @Override
          public void onUpdate(T before, T after) {
            listener.accept(Optional.of(after));
          }

          @Override
          public void onDelete(T object, boolean finalStateUnknown) {
            listener.accept(Optional.empty());
          }
        });
    factory.startAllRegisteredInformers();
    return informer::hasSynced;
  }

  @Override
  public L list(CallGeneratorParams params) throws ApiException {
    var options = options(params);
    var answer = namespace.map(it -> api.list(it, options)).orElseGet(() -> api.list(options));
    var list = ApiErrors.objectOf(answer);
    listing.succeeded();
    return list;
  }

  @Override
  public Watchable<T> watch(CallGeneratorParams params) throws ApiException {
    return namespace.isPresent()
        ? api.watch(namespace.get(), options(params))
        : api.watch(options(params));
  }

  private ListOptions options(CallGeneratorParams params) {
    var options = new ListOptions();
    options.setFieldSelector("metadata.name=" + name);
    options.setResourceVersion(params.resourceVersion);
    options.setTimeoutSeconds(params.timeoutSeconds);
    return options;
  }
}
