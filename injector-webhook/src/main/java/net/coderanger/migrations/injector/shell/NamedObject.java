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

/**
 * One object, by name, as list and watch show it. Rights on resourceNames suffice for them, since
 * the field selector names the object.
 *
 * @param namespace of the object; empty for an object of the whole cluster
 */
record NamedObject<T extends KubernetesObject, L extends KubernetesListObject>(
    GenericKubernetesApi<T, L> api, Optional<String> namespace, String name)
    implements ListerWatcher<T, L> {

  /**
   * Begins to watch.
   *
   * @param client without read timeout
   * @param listener gets the object with each change, and empty when it is gone; not called as long
   *     as the object does not exist
   * @return whether the first list has been read
   */
  BooleanSupplier watch(ApiClient client, Class<T> type, Consumer<Optional<T>> listener) {
    var factory = new SharedInformerFactory(client);
    var informer = factory.sharedIndexInformerFor(this, type, 0);
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
    return answer.throwsApiException().getObject();
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
