package net.coderanger.migrations.controller.core;

import module java.base;

/**
 * The pods that one Migrator is about, sorted out once for every question about them.
 *
 * @param targets pods that wait for this Migrator or would have to
 * @param candidates targets that may lend their template, with the image that counts
 * @param containerMissing candidates whose template has not the container of spec.container
 * @param unread targets that may lend their template, which could not be read yet
 * @param newest the newest template with pods, by its group
 */
record Survey(
    List<PodView> targets,
    List<Candidate> candidates,
    List<Candidate> containerMissing,
    List<PodView> unread,
    Map<String, Template> newest) {

  /**
   * A target that may lend its template.
   *
   * @param image that must have been migrated before the pod may start, as the template writes it;
   *     empty when the template lacks the container
   */
  record Candidate(PodView pod, Template template, String image) {}

  static Survey of(Observed seen) {
    var targets = new ArrayList<PodView>();
    var candidates = new ArrayList<Candidate>();
    var missing = new ArrayList<Candidate>();
    var unread = new ArrayList<PodView>();
    var newest = new HashMap<String, Template>();
    for (var pod : seen.pods()) {
      if (!isTarget(seen.intent(), pod)) {
        continue;
      }
      targets.add(pod);
      if (!seen.intent().templateSelector().test(pod.labels())) {
        continue;
      }
      var template = seen.templates().get(pod.uid());
      if (template == null) {
        unread.add(pod);
        continue;
      }
      var candidate = candidate(seen.intent(), pod, template);
      (candidate.image().isEmpty() ? missing : candidates).add(candidate);
      newest.merge(
          template.group(),
          template,
          (first, second) -> second.revision() > first.revision() ? second : first);
    }
    return new Survey(
        List.copyOf(targets),
        List.copyOf(candidates),
        List.copyOf(missing),
        List.copyOf(unread),
        Map.copyOf(newest));
  }

  private static boolean isTarget(Intent intent, PodView pod) {
    return !pod.isRunPod() && pod.isLive() && !pod.isExempt() && intent.selects(pod);
  }

  /** A pod with its template and the image that counts. */
  static Candidate candidate(Intent intent, PodView pod, Template template) {
    var images = template.images();
    // By the template, not the live pod: a mesh may have put its proxy first there.
    var container = intent.container().orElse(images.isEmpty() ? "" : images.firstEntry().getKey());
    var templated = images.getOrDefault(container, "");
    return new Candidate(
        pod,
        template,
        templated.isEmpty()
            ? ""
            : Images.asTemplated(pod.images().getOrDefault(container, ""), templated));
  }

  /** Whether no revision with pods is newer than this candidate's. */
  boolean isNewest(Candidate candidate) {
    return newestOf(candidate).revision() <= candidate.template().revision();
  }

  /** The newest template with pods in the candidate's group. */
  Template newestOf(Candidate candidate) {
    return newest.getOrDefault(candidate.template().group(), candidate.template());
  }

  /**
   * The template to migrate this image with: of the newest revisions, Deployments and Rollouts
   * before StatefulSets, other kinds, Jobs and bare pods, then the oldest, then by name.
   */
  Optional<Candidate> lender(String image) {
    return candidates.stream()
        .filter(candidate -> candidate.image().equals(image))
        .min(
            Comparator.<Candidate, Boolean>comparing(candidate -> !isNewest(candidate))
                .thenComparing(candidate -> candidate.template().rank())
                .thenComparing(candidate -> candidate.template().created())
                .thenComparing(candidate -> candidate.template().id())
                .thenComparing(candidate -> candidate.pod().name()));
  }

  /** What people know the candidates of this image by, each once however many pods it has. */
  Set<PodView.Owner> workloads(String image) {
    return candidates.stream()
        .filter(candidate -> candidate.image().equals(image))
        .map(candidate -> candidate.template().workload())
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** The images that candidates need migrated. */
  Set<String> templateImages() {
    return candidates.stream().map(Candidate::image).collect(Collectors.toSet());
  }

  /** All images that targets use. */
  Set<String> images() {
    return Stream.concat(
            candidates.stream().map(Candidate::image),
            targets.stream().flatMap(pod -> pod.images().values().stream()))
        .collect(Collectors.toSet());
  }

  /** How many targets still wait for this Migrator. */
  int waiting(String migrator) {
    return (int) targets.stream().filter(pod -> pod.isWaiting(migrator)).count();
  }
}
