package net.coderanger.migrations.controller.shell;

import module java.base;

import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.Migrator;
import net.coderanger.migrations.controller.core.Effect;
import net.coderanger.migrations.controller.core.PodView;

/**
 * Posts events, in the background: they inform, and must hold up nothing. client-java's
 * EventRecorder is not used: it takes messages for formats and swallows failures.
 */
public final class Events implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Events.class.getName());

  /** The API server's limit is 1024 bytes. */
  private static final int LONGEST_MESSAGE = 1000;

  private static final int MOST_WAITING = 1000;

  private final Api api;
  private final String instance;
  private final Clock clock;
  private final ThreadPoolExecutor poster =
      new ThreadPoolExecutor(
          1,
          1,
          0,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(MOST_WAITING),
          Thread.ofPlatform().daemon().name("events").factory(),
          (_, _) -> LOG.log(System.Logger.Level.WARNING, "Too many events wait, one is dropped"));

  /** Posts in the name of this instance. */
  public Events(Api api, String instance, Clock clock) {
    this.api = api;
    this.instance = instance;
    this.clock = clock;
  }

  void tell(Migrator migrator, Effect.Tell tell) {
    var meta = migrator.getMetadata();
    var self =
        new PodView.Owner(Vocabulary.API_VERSION, Vocabulary.KIND, meta.getName(), meta.getUid());
    post(
        meta.getNamespace(),
        tell.regarding().orElse(self),
        tell.warning(),
        tell.reason().name(),
        tell.message());
  }

  /** Posts an event about any object. */
  public void post(
      String namespace, PodView.Owner regarding, boolean warning, String reason, String message) {
    var event = event(namespace, regarding, warning, reason, message);
    poster.execute(
        () -> {
          try {
            api.create(Paths.events(namespace), event);
          } catch (ApiException e) {
            LOG.log(
                System.Logger.Level.DEBUG,
                "Event about {0}/{1} not posted: {2}",
                namespace,
                regarding.name(),
                e.getMessage());
          }
        });
  }

  private JsonObject event(
      String namespace, PodView.Owner regarding, boolean warning, String reason, String message) {
    var now = clock.instant();
    var metadata = new JsonObject();
    metadata.addProperty("namespace", namespace);
    // As client-go names them: unique, and short enough for a name of 253 characters.
    var name = regarding.name();
    metadata.addProperty(
        "name",
        name.substring(0, Math.min(name.length(), 230))
            + "."
            + Long.toHexString(now.getEpochSecond() * 1_000_000_000L + now.getNano()));
    var object = new JsonObject();
    object.addProperty("apiVersion", regarding.apiVersion());
    object.addProperty("kind", regarding.kind());
    object.addProperty("namespace", namespace);
    object.addProperty("name", regarding.name());
    object.addProperty("uid", regarding.uid());
    var source = new JsonObject();
    source.addProperty("component", "migrations-operator");
    var time = DateTimeFormatter.ISO_INSTANT.format(now.truncatedTo(ChronoUnit.SECONDS));
    var event = new JsonObject();
    event.addProperty("apiVersion", "v1");
    event.addProperty("kind", "Event");
    event.add("metadata", metadata);
    event.add("involvedObject", object);
    event.add("source", source);
    event.addProperty("type", warning ? "Warning" : "Normal");
    event.addProperty("reason", reason);
    event.addProperty("message", message.substring(0, Math.min(message.length(), LONGEST_MESSAGE)));
    event.addProperty("firstTimestamp", time);
    event.addProperty("lastTimestamp", time);
    event.addProperty("count", 1);
    event.addProperty("reportingComponent", "migrations-operator");
    event.addProperty("reportingInstance", instance);
    return event;
  }

  @Override
  public void close() {
    poster.shutdown();
  }
}
