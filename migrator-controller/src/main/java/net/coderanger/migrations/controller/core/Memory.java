package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.v1beta1.MigratedImage;
import net.coderanger.migrations.api.v1beta1.MigrationFailure;
import net.coderanger.migrations.api.v1beta1.MigrationRecord;
import net.coderanger.migrations.api.v1beta1.MigratorStatus;

/** What the status remembers of successes and failures. */
record Memory(Intent intent, MigratorStatus status) {
  /** Whether pods of this image may start. */
  boolean isMigrated(String image) {
    return successes().anyMatch(migrated -> migrated.getImage().equals(image));
  }

  /** Whether anything has succeeded for the present spec.image. */
  boolean hasSuccess() {
    return successes().findAny().isPresent();
  }

  /** When the last success was recorded; the end of time if unknown, as the original left it. */
  Instant lastSuccess() {
    return successes()
        .map(MigratedImage::getAt)
        .filter(Objects::nonNull)
        .map(OffsetDateTime::toInstant)
        .max(Comparator.naturalOrder())
        .orElse(Instant.MAX);
  }

  private Stream<MigratedImage> successes() {
    return images().stream()
        .filter(
            migrated ->
                Objects.requireNonNullElse(migrated.getMigrationImage(), migrated.getImage())
                    .equals(intent.migrationImage(migrated.getImage())));
  }

  /** Whether the last run of this image had to make way since then. */
  boolean madeWaySince(String image, Instant time) {
    return Objects.requireNonNullElse(status.getHistory(), List.<MigrationRecord>of()).stream()
        .filter(run -> run.getImage().equals(image))
        .findFirst()
        .filter(run -> run.getResult() == MigrationRecord.ResultEnum.SUPERSEDED)
        .filter(run -> run.getCompletionTime() != null)
        .filter(run -> !run.getCompletionTime().toInstant().isBefore(time))
        .isPresent();
  }

  /** Whether this image failed for good and nothing has changed that would make it start again. */
  boolean isFailedForGood(String image, Template template) {
    return failure(image)
        .filter(
            failure ->
                Objects.equals(failure.getMigrationImage(), intent.migrationImage(image))
                    && template.isAsGoodAs(failure.getTemplate(), failure.getTemplateRevision())
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
