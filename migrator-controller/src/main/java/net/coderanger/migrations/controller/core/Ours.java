package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.v1beta1.MigratedImage;

/**
 * Which images are this Migrator's code: those of the repositories that its candidates use or that
 * it has migrated.
 */
record Ours(Survey survey, Set<String> repositories) {
  static Ours of(Survey survey, Memory memory) {
    return new Ours(
        survey,
        Stream.concat(
                survey.candidates().stream().map(Survey.Candidate::image),
                memory.images().stream().map(MigratedImage::getImage))
            .map(Images::repository)
            .collect(Collectors.toSet()));
  }

  boolean isKnown() {
    return !repositories.isEmpty();
  }

  boolean has(String image) {
    return repositories.contains(Images.repository(image));
  }

  /** As {@link #has}, of an image that a registry mirror may have rewritten. */
  boolean mayHave(String image) {
    return repositories.stream()
        .anyMatch(ours -> Images.name(ours).equals(Images.name(Images.repository(image))));
  }

  /**
   * A candidate without the container that counts, though it runs our code or nothing else does.
   */
  Optional<Survey.Candidate> withoutContainer() {
    return survey.containerMissing().stream()
        .filter(
            candidate ->
                survey.candidates().isEmpty()
                    || candidate.pod().images().values().stream().anyMatch(this::has))
        .findFirst();
  }
}
