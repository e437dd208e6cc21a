package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.Vocabulary;

/**
 * What the core reads of a run's Job.
 *
 * @param ownerUid uid of the Migrator that it belongs to, empty if none
 * @param ended when its Complete or Failed condition came, if it did
 */
public record JobView(
    String name,
    String uid,
    String ownerUid,
    Map<String, String> annotations,
    Instant created,
    boolean deleting,
    boolean suspended,
    Optional<Instant> ended,
    boolean complete) {

  /** Annotation: number of the attempt over all runs of the Migrator. */
  public static final String SERIAL = Vocabulary.GROUP + "/attempt";

  /** Annotation: the image that the migration runs with. */
  public static final String MIGRATION_IMAGE = Vocabulary.GROUP + "/migration-image";

  /** Annotation: whose template was used. */
  public static final String TEMPLATE = Vocabulary.GROUP + "/template";

  /** Annotation: fingerprint of the spec that was run. */
  public static final String SPEC_HASH = Vocabulary.GROUP + "/spec-hash";

  /** Annotation: fingerprint of the pod template, by which a changed one is known. */
  public static final String TEMPLATE_HASH = Vocabulary.GROUP + "/template-hash";

  /** The image that is migrated, empty if the Job does not say. */
  public String image() {
    return annotations.getOrDefault(Vocabulary.IMAGE_ANNOTATION, "");
  }

  /** Number of the attempt, 0 if the Job does not say. */
  public long serial() {
    try {
      return Long.parseLong(annotations.getOrDefault(SERIAL, "0"));
    } catch (NumberFormatException _) {
      return 0;
    }
  }
}
