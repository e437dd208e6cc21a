package net.coderanger.migrations.controller.shell;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.JSON;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.Migrator;
import net.coderanger.migrations.api.v1beta1.MigratorStatus;
import net.coderanger.migrations.controller.core.Decider;
import net.coderanger.migrations.controller.core.Decision;
import net.coderanger.migrations.controller.core.Effect;
import net.coderanger.migrations.controller.core.Observed;
import net.coderanger.migrations.kube.ApiErrors;

/**
 * Carries out decisions. The status is written before anything is deleted; a run is started so that
 * neither a stale cache nor a leader that was paused can start a second one. All methods throw
 * {@link ApiException} when the API server refuses or cannot be reached; nothing is lost then, and
 * a 409 means that something changed meanwhile and has to be decided again.
 */
final class Execution {
  private final Api api;
  private final Observation observation;
  private final Events events;

  Execution(Api api, Observation observation, Events events) {
    this.api = api;
    this.observation = observation;
    this.events = events;
  }

  /**
   * Carries out what was decided. What cannot be taken back is decided again from a live look, so
   * that no stale cache starts or deletes anything.
   *
   * @return what was carried out; empty when the Migrator is gone
   */
  Optional<Decision> carryOut(Migrator migrator, Observed seen, Decision decision)
      throws ApiException {
    if (!decision.confirm()) {
      apply(migrator, seen, decision);
      return Optional.of(decision);
    }
    var live = observation.live(migrator);
    if (live.isEmpty()) {
      return Optional.empty();
    }
    var confirmed = Decider.decide(live.get().observed());
    apply(live.get().migrator(), live.get().observed(), confirmed);
    return Optional.of(confirmed);
  }

  private void apply(Migrator migrator, Observed seen, Decision decision) throws ApiException {
    var guarded =
        decision.effects().contains(new Effect.Guard()) ? guard(migrator, true) : migrator;
    var written =
        decision.start().isPresent()
            ? start(guarded, seen, decision.start().get(), decision.status())
            : writeStatus(guarded, decision.status());
    for (var effect : decision.effects()) {
      switch (effect) {
        case Effect.Guard _, Effect.Start _ -> {
          // done above
        }
        case Effect.Unguard _ -> guard(written, false);
        case Effect.Unsuspend(var job, var uid) -> unsuspend(migrator, job, uid);
        case Effect.Delete(var job, var uid) -> delete(migrator, job, uid);
        case Effect.Tell tell -> events.tell(migrator, tell);
      }
    }
  }

  /**
   * Creates the Job suspended, writes the status with the version that was looked at (a leader that
   * was paused fails here), and only then lets the Job begin.
   */
  private Migrator start(
      Migrator migrator, Observed seen, Effect.Start start, MigratorStatus status)
      throws ApiException {
    JsonObject job;
    try {
      job = api.create(Paths.jobs(migrator.getMetadata().getNamespace()), start.job());
    } catch (ApiException e) {
      if (ApiErrors.isRefusal(e)) {
        apply(migrator, seen, Decider.refused(seen, start, ApiErrors.message(e)));
      }
      throw e;
    }
    var written = writeStatus(migrator, status);
    unsuspend(migrator, start.jobName(), job.getAsJsonObject("metadata").get("uid").getAsString());
    return written;
  }

  /** Writes the status where it differs; answers the Migrator as it is then. */
  private Migrator writeStatus(Migrator migrator, MigratorStatus status) throws ApiException {
    var before = json(migrator.getStatus());
    var after = json(status);
    if (before.equals(after)) {
      return migrator;
    }
    var patch = new JsonObject();
    patch.add("metadata", version(migrator));
    patch.add("status", difference(before, after));
    return JSON.getGson().fromJson(api.patch(path(migrator) + "/status", patch), Migrator.class);
  }

  private static JsonObject json(MigratorStatus status) {
    return status == null ? new JsonObject() : JSON.getGson().toJsonTree(status).getAsJsonObject();
  }

  /** A merge patch (RFC 7396) of the members that differ; one that is gone becomes null. */
  private static JsonObject difference(JsonObject before, JsonObject after) {
    var patch = new JsonObject();
    for (var member : after.entrySet()) {
      var old = before.get(member.getKey());
      if (!member.getValue().equals(old)) {
        patch.add(
            member.getKey(),
            old != null && old.isJsonObject() && member.getValue().isJsonObject()
                ? difference(old.getAsJsonObject(), member.getValue().getAsJsonObject())
                : member.getValue());
      }
    }
    for (var name : before.keySet()) {
      if (!after.has(name)) {
        patch.add(name, JsonNull.INSTANCE);
      }
    }
    return patch;
  }

  /** Puts the finalizer on or takes it off; answers the Migrator as it is then. */
  private Migrator guard(Migrator migrator, boolean on) throws ApiException {
    var finalizers = new JsonArray();
    var present =
        Objects.requireNonNullElse(migrator.getMetadata().getFinalizers(), List.<String>of());
    present.stream().filter(other -> !other.equals(Vocabulary.FINALIZER)).forEach(finalizers::add);
    if (on) {
      finalizers.add(Vocabulary.FINALIZER);
    }
    var metadata = version(migrator);
    metadata.add("finalizers", finalizers);
    var patch = new JsonObject();
    patch.add("metadata", metadata);
    return JSON.getGson().fromJson(api.patch(path(migrator), patch), Migrator.class);
  }

  private void unsuspend(Migrator migrator, String job, String uid) throws ApiException {
    var metadata = new JsonObject();
    metadata.addProperty("uid", uid); // another Job of the name is refused with 409
    var spec = new JsonObject();
    spec.addProperty("suspend", false);
    var patch = new JsonObject();
    patch.add("metadata", metadata);
    patch.add("spec", spec);
    api.patch(Paths.job(migrator.getMetadata().getNamespace(), job), patch);
  }

  private void delete(Migrator migrator, String job, String uid) throws ApiException {
    try {
      api.delete(Paths.job(migrator.getMetadata().getNamespace(), job), uid);
    } catch (ApiException e) {
      if (e.getCode() != 404) {
        throw e;
      }
    }
  }

  private static JsonObject version(Migrator migrator) {
    var metadata = new JsonObject();
    metadata.addProperty("resourceVersion", migrator.getMetadata().getResourceVersion());
    return metadata;
  }

  private static String path(Migrator migrator) {
    return Paths.migrator(migrator.getMetadata().getNamespace(), migrator.getMetadata().getName());
  }
}
