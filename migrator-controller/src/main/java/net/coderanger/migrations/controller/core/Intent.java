package net.coderanger.migrations.controller.core;

import module java.base;

import com.google.gson.Gson;
import net.coderanger.migrations.api.Names;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.Migrator;
import net.coderanger.migrations.api.v1beta1.MigratorSpec;
import net.coderanger.migrations.kube.Selector;

/**
 * What a Migrator asks for, with the defaults of its schema.
 *
 * @param spec the spec itself, for the fields that are only copied; never null
 * @param error why the spec cannot be carried out, if it cannot; selectors select nothing then
 * @param runRequest value of the run-requested annotation, empty if none
 */
public record Intent(
    String namespace,
    String name,
    String uid,
    long generation,
    Instant created,
    boolean deleting,
    boolean guarded,
    Selector selector,
    Selector templateSelector,
    Optional<String> error,
    Optional<String> container,
    Optional<String> image,
    boolean suspend,
    int backoffLimit,
    int successfulJobsHistoryLimit,
    int failedJobsHistoryLimit,
    String runRequest,
    MigratorSpec spec) {

  private static final int DEFAULT_BACKOFF_LIMIT = 3;
  private static final int DEFAULT_HISTORY_LIMIT = 1;
  private static final Gson GSON = new Gson();

  /** Reads a Migrator as the API server gave it. */
  public static Intent of(Migrator migrator) {
    var meta = migrator.getMetadata();
    var spec = migrator.getSpec() == null ? new MigratorSpec() : migrator.getSpec();
    var selector = Selector.nothing();
    var templateSelector = Selector.everything();
    Optional<String> error = Optional.empty();
    try {
      selector = Selector.of(spec.getSelector());
    } catch (IllegalArgumentException e) {
      error = Optional.of("spec.selector: " + e.getMessage());
    }
    try {
      if (spec.getTemplateSelector() != null) {
        templateSelector = Selector.of(spec.getTemplateSelector());
      }
    } catch (IllegalArgumentException e) {
      error = Optional.of("spec.templateSelector: " + e.getMessage());
    }
    var annotations = Objects.requireNonNullElse(meta.getAnnotations(), Map.<String, String>of());
    return new Intent(
        meta.getNamespace(),
        meta.getName(),
        Objects.requireNonNullElse(meta.getUid(), ""),
        Objects.requireNonNullElse(meta.getGeneration(), 0L),
        meta.getCreationTimestamp() == null
            ? Instant.EPOCH
            : meta.getCreationTimestamp().toInstant(),
        meta.getDeletionTimestamp() != null,
        meta.getFinalizers() != null && meta.getFinalizers().contains(Vocabulary.FINALIZER),
        selector,
        templateSelector,
        error,
        Optional.ofNullable(spec.getContainer()).filter(name -> !name.isEmpty()),
        Optional.ofNullable(spec.getImage()).filter(image -> !image.isEmpty()),
        Boolean.TRUE.equals(spec.getSuspend()),
        Objects.requireNonNullElse(spec.getBackoffLimit(), DEFAULT_BACKOFF_LIMIT),
        Objects.requireNonNullElse(spec.getSuccessfulJobsHistoryLimit(), DEFAULT_HISTORY_LIMIT),
        Objects.requireNonNullElse(spec.getFailedJobsHistoryLimit(), DEFAULT_HISTORY_LIMIT),
        annotations.getOrDefault(Vocabulary.RUN_REQUESTED, ""),
        spec);
  }

  /** The image that a migration of this image runs with. */
  public String migrationImage(String image) {
    return this.image.orElse(image);
  }

  /**
   * Fingerprint of what decides which migration is run; the fields that only bound or repeat it
   * (suspend, backoffLimit, history limits, the deadline) are left out.
   */
  public String specHash() {
    return Names.hash(
        String.join(
            "\0",
            container.orElse(""),
            image.orElse(""),
            GSON.toJson(spec.getCommand()),
            GSON.toJson(spec.getArgs()),
            GSON.toJson(spec.getEnv()),
            GSON.toJson(spec.getEnvFrom()),
            String.valueOf(spec.getServiceAccountName())));
  }

  /** Whether a pod with these labels waits for this Migrator. */
  public boolean selects(PodView pod) {
    return selector.test(pod.labels());
  }
}
