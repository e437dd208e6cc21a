package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.v1beta1.MigratedImage;
import net.coderanger.migrations.api.v1beta1.MigrationFailure;
import net.coderanger.migrations.api.v1beta1.MigratorStatus;

/** What the status remembers of successes and failures. */
record Memory(Intent intent, MigratorStatus status) {
  /** Whether pods of this image may start. */
  boolean isMigrated(String image) {
    return images().stream()
        .anyMatch(
            migrated ->
                migrated.getImage().equals(image)
                    && Objects.requireNonNullElse(migrated.getMigrationImage(), image)
                        .equals(intent.migrationImage(image)));
  }

  boolean hasSuccess() {
    return !images().isEmpty();
  }

  /** When the last success was recorded; the beginning of time if unknown. */
  Instant lastSuccess() {
    return images().stream()
        .map(MigratedImage::getAt)
        .filter(Objects::nonNull)
        .map(OffsetDateTime::toInstant)
        .max(Comparator.naturalOrder())
        .orElse(Instant.MIN);
  }

  /** Whether this image failed for good and nothing has changed that would make it start again. */
  boolean isFailedForGood(String image, Template template) {
    return failure(image)
        .filter(
            failure ->
                Objects.equals(failure.getMigrationImage(), intent.migrationImage(image))
                    && Objects.equals(failure.getTemplate(), template.id())
                    && Objects.equals(failure.getObservedGeneration(), intent.generation())
                    && Objects.requireNonNullElse(failure.getRunRequest(), "")
                        .equals(intent.runRequest()))
        .isPresent();
  }

  /** How this image failed for good, if it did. */
  Optional<MigrationFailure> failure(String image) {
    return failures().stream().filter(failure -> failure.getImage().equals(image)).findFirst();
  }

  List<MigrationFailure> failures() {
    return Objects.requireNonNullElse(status.getFailures(), List.of());
  }

  List<MigratedImage> images() {
    return Objects.requireNonNullElse(status.getMigratedImages(), List.of());
  }

  /** Whether the run-requested annotation has a value that was not answered. */
  boolean isRunRequested() {
    return !intent.runRequest().isEmpty()
        && !intent
            .runRequest()
            .equals(Objects.requireNonNullElse(status.getRunRequestHandled(), ""));
  }
}
