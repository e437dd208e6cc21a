package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.Reason;

/** Starts attempts, if nothing stands in the way. */
final class Start {
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(2);

  private final Look look;
  private final Remains remains;

  Start(Look look, Remains remains) {
    this.look = look;
    this.remains = remains;
  }

  /** Starts the next attempt of the current run, or the first of a new one. */
  Standing attempt(String image, Template template) {
    if (look.intent.suspend()) {
      return suspended(image);
    }
    var obstacle = remains.obstacle();
    if (obstacle.isPresent()) {
      look.again(LOOK_AGAIN);
      return Standing.reconciling(
          Reason.MigrationsQueued, "Image %s waits: %s".formatted(image, obstacle.get()));
    }
    look.guard();
    look.confirm();
    var serial =
        1
            + look.seen.jobs().stream()
                .mapToLong(JobView::serial)
                .reduce(look.draft.attempts(), Math::max);
    var name = JobManifest.name(look.intent, image, serial);
    look.draft.begin(image, template, name, serial);
    var attempt = look.draft.current().orElseThrow().getAttempt();
    look.add(
        new Effect.Start(
            name,
            image,
            JobManifest.of(look.intent, template, image, serial, look.seen.claimNodes())));
    look.tell(
        false,
        Reason.MigrationsStarted,
        "Started Job %s for image %s with the template of %s (attempt %d)"
            .formatted(name, image, template.id(), attempt));
    return starting(image, name, attempt, template.remark());
  }

  Standing suspended(String image) {
    return Standing.reconciling(
        Reason.MigrationsSuspended,
        "Image %s is to be migrated; set spec.suspend to false".formatted(image));
  }

  static Standing starting(String image, String job, int attempt, String remark) {
    return Standing.reconciling(
        Reason.MigrationsRunning,
        "Migrating image %s: Job %s starts (attempt %d)%s".formatted(image, job, attempt, remark));
  }
}
