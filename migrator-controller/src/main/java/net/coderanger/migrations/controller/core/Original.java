package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.v1beta1.MigratedImage;
import net.coderanger.migrations.api.v1beta1.MigratorStatus;

/**
 * A status left by the original operator knows only the image of the last success; it counts as one
 * success.
 */
final class Original {
  private Original() {}

  /** Whether the status is the original's. */
  static boolean wrote(MigratorStatus status) {
    return status.getMigratedImages() == null
        && status.getLastSuccessfulMigration() != null
        && !status.getLastSuccessfulMigration().isEmpty();
  }

  /** The images that its last success stands for. */
  static List<MigratedImage> successes(Intent intent, Survey survey, String last) {
    if (intent.image().isEmpty()) {
      return List.of(new MigratedImage().image(last).migrationImage(last));
    }
    // With spec.image it remembered that one, whatever the pods ran: those past its waiter are what
    // it had migrated for.
    return intent.image().get().equals(last)
        ? survey.candidates().stream()
            .filter(candidate -> !candidate.pod().isWaiting(intent.name()))
            .map(Survey.Candidate::image)
            .distinct()
            .map(image -> new MigratedImage().image(image).migrationImage(last))
            .toList()
        : List.of();
  }
}
