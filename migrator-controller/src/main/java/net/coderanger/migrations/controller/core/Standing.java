package net.coderanger.migrations.controller.core;

import module java.base;

import io.kubernetes.client.openapi.models.V1Condition;
import net.coderanger.migrations.api.Reason;
import net.coderanger.migrations.api.Vocabulary;

/** How a Migrator stands, and the conditions that say so. */
record Standing(Kind kind, Reason reason, String message) {
  /** What kstatus makes of it: Current, InProgress or Failed. */
  enum Kind {
    SETTLED,
    RECONCILING,
    STALLED
  }

  static Standing settled(Reason reason, String message) {
    return new Standing(Kind.SETTLED, reason, message);
  }

  static Standing reconciling(Reason reason, String message) {
    return new Standing(Kind.RECONCILING, reason, message);
  }

  static Standing stalled(Reason reason, String message) {
    return new Standing(Kind.STALLED, reason, message);
  }

  /** The conditions, with the times of those whose status did not change. */
  List<V1Condition> conditions(long generation, List<V1Condition> before, OffsetDateTime now) {
    var ready = kind == Kind.SETTLED;
    return List.of(
        condition(Vocabulary.CONDITION_READY, ready, generation, before, now),
        condition(Vocabulary.CONDITION_MIGRATIONS_READY, ready, generation, before, now),
        condition(
            Vocabulary.CONDITION_RECONCILING, kind == Kind.RECONCILING, generation, before, now),
        condition(Vocabulary.CONDITION_STALLED, kind == Kind.STALLED, generation, before, now));
  }

  private V1Condition condition(
      String type, boolean holds, long generation, List<V1Condition> before, OffsetDateTime now) {
    var status = holds ? "True" : "False";
    var since =
        before.stream()
            .filter(old -> type.equals(old.getType()) && status.equals(old.getStatus()))
            .map(V1Condition::getLastTransitionTime)
            .filter(Objects::nonNull)
            .findFirst()
            .orElse(now);
    return new V1Condition()
        .type(type)
        .status(status)
        .observedGeneration(generation)
        .lastTransitionTime(since)
        .reason(reason.name())
        .message(message);
  }
}
