package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.v1beta1.MigratorStatus;

/**
 * What is to be done about one Migrator.
 *
 * @param status as it is to be written; with an {@link Effect.Start}, only once the Job exists
 * @param again when to look again though nothing changed, empty if never
 */
public record Decision(MigratorStatus status, List<Effect> effects, Optional<Duration> again) {
  /** The attempt to start, if one is. */
  public Optional<Effect.Start> start() {
    return effects.stream()
        .filter(Effect.Start.class::isInstance)
        .map(Effect.Start.class::cast)
        .findFirst();
  }
}
