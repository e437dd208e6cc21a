package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.v1beta1.MigratorStatus;

/**
 * What is to be done about one Migrator.
 *
 * @param status as it is to be written; with an {@link Effect.Start}, only once the Job exists
 * @param again when to look again though nothing changed, empty if never
 * @param confirm whether this cannot be taken back, and a stale cache may have led to it: to be
 *     carried out only as it is decided again from Migrator, Jobs and run pods read live
 * @param strays pods that slipped past the injector, as long as their image is not migrated
 */
public record Decision(
    MigratorStatus status,
    List<Effect> effects,
    Optional<Duration> again,
    boolean confirm,
    List<Stray> strays) {
  /** The attempt to start, if one is. */
  public Optional<Effect.Start> start() {
    return effects.stream()
        .filter(Effect.Start.class::isInstance)
        .map(Effect.Start.class::cast)
        .findFirst();
  }
}
