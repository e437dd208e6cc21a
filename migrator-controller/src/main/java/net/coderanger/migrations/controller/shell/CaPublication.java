package net.coderanger.migrations.controller.shell;

import module java.base;

import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.kube.Recurring;

/**
 * Keeps the gate's CA in a ConfigMap, from where the injector passes it on to the waiters. Looked
 * at again and again, so that a ConfigMap that was edited or deleted comes back.
 */
public final class CaPublication implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(CaPublication.class.getName());
  private static final String FILE = "ca.crt";

  private final Recurring publishing = new Recurring(LOG, "The gate's CA is published again");
  private final Api api;
  private final String namespace;
  private final String name;
  private final BlockingQueue<String> news = new LinkedBlockingQueue<>();
  private final Thread thread;
  private final Duration interval;

  /**
   * Publishes in this ConfigMap.
   *
   * @param interval between two looks at it
   */
  public CaPublication(Api api, String namespace, String name, Duration interval) {
    this.api = api;
    this.namespace = namespace;
    this.name = name;
    this.interval = interval;
    thread = Thread.ofVirtual().name("ca-publication").start(this::keep);
  }

  /**
   * Publishes this bundle from now on; nothing while it is empty, as with a mounted certificate
   * without ca.crt: then whoever issues it has to fill the ConfigMap.
   */
  public void publish(String bundle) {
    if (bundle.isEmpty()) {
      LOG.log(
          System.Logger.Level.WARNING,
          "The gate''s certificate has no ca.crt beside it: write its CA into key ca.crt of"
              + " ConfigMap {0}/{1}, else no waiter can be made",
          namespace,
          name);
    }
    news.add(bundle);
  }

  private void keep() {
    var bundle = "";
    try {
      while (true) {
        var latest =
            bundle.isEmpty() ? news.take() : news.poll(interval.toMillis(), TimeUnit.MILLISECONDS);
        bundle = latest == null ? bundle : latest;
        if (!bundle.isEmpty()) {
          ensure(bundle);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void ensure(String bundle) {
    try {
      var present = api.find(path());
      if (present.isEmpty()) {
        api.create("/api/v1/namespaces/%s/configmaps".formatted(namespace), configMap(bundle));
      } else if (!bundle.equals(published(present.get()))) {
        api.patch(path(), configMap(bundle));
      }
      publishing.succeeded();
    } catch (ApiException e) {
      publishing.failed(
          "The gate's CA is not published in ConfigMap %s/%s yet".formatted(namespace, name), e);
    }
  }

  private String path() {
    return "/api/v1/namespaces/%s/configmaps/%s".formatted(namespace, name);
  }

  private static String published(JsonObject configMap) {
    var data = configMap.getAsJsonObject("data");
    return data != null && data.has(FILE) ? data.get(FILE).getAsString() : "";
  }

  private JsonObject configMap(String bundle) {
    var metadata = new JsonObject();
    metadata.addProperty("name", name);
    var data = new JsonObject();
    data.addProperty(FILE, bundle);
    var configMap = new JsonObject();
    configMap.addProperty("apiVersion", "v1");
    configMap.addProperty("kind", "ConfigMap");
    configMap.add("metadata", metadata);
    configMap.add("data", data);
    return configMap;
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
