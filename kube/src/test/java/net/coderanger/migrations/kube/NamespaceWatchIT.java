package net.coderanger.migrations.kube;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;
import module java.logging;

import io.kubernetes.client.informer.SharedInformerFactory;
import io.kubernetes.client.util.generic.GenericKubernetesApi;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.Migrator;
import net.coderanger.migrations.api.v1beta1.MigratorList;
import org.junit.jupiter.api.Test;

/** What cannot be watched, as the log tells it. What is refused: NamespacedIT of the controller. */
class NamespaceWatchIT {
  /** Held, or its handler would be collected with it. */
  private static final Logger LOG = Logger.getLogger(NamespaceWatch.class.getName());

  @Test
  void eachFaultIsToldOnceWithTheApiServersWordsAndSoIsItsEnd() {
    var told = new CopyOnWriteArrayList<String>();
    LOG.addHandler(
        new Handler() {
          @Override
          public void publish(LogRecord line) {
            told.add(new SimpleFormatter().formatMessage(line));
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        });
    try (var kube = KubeApi.bare()) {
      var asked = new AtomicInteger();
      var client = kube.client();
      client.setHttpClient(
          client
              .getHttpClient()
              .newBuilder()
              .addInterceptor(
                  chain -> {
                    asked.incrementAndGet();
                    return chain.proceed(chain.request());
                  })
              .build());
      client.setReadTimeout(0);
      var factory = new SharedInformerFactory(client);
      var watch =
          new NamespaceWatch<>(
              factory,
              Migrator.class,
              new GenericKubernetesApi<>(
                  Migrator.class,
                  MigratorList.class,
                  Vocabulary.GROUP,
                  Vocabulary.VERSION,
                  Vocabulary.PLURAL,
                  client),
              "migrators",
              "default",
              "");
      factory.startAllRegisteredInformers();
      await().until(() -> asked.get() >= 3);
      assertEquals(1, told.size(), told::toString);
      assertTrue(
          told.getFirst()
              .startsWith(
                  "migrators of namespace default cannot be watched: the API server answered 404:"
                      + " "),
          told::toString);
      assertFalse(watch.isSynced());
      assertFalse(watch.isRefused());
      kube.applyCrd();
      await().until(watch::isSynced);
      assertEquals("Watching migrators of namespace default again", told.getLast());
      factory.stopAllRegisteredInformers();
    }
  }
}
