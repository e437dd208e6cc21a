package net.coderanger.migrations.controller.core;

import module java.base;

/**
 * An image whose migration is wanted.
 *
 * @param lender the candidate whose template the migration is made from
 * @param since when its oldest waiting pod was made, or the oldest pod where none waits
 * @param waited whether a pod waits for it
 */
record Wanted(String image, Survey.Candidate lender, Instant since, boolean waited) {
  /**
   * The images that are wanted, the one whose oldest pod waits longest first.
   *
   * <p>Before the first success that is every unmigrated image of a newest revision; after it only
   * those with a waiting pod, or with a pod that slipped past the injector since the last success:
   * an older pod without a waiter was there before the Migrator.
   */
  static List<Wanted> of(Intent intent, Memory memory, Survey survey) {
    var byImage = new TreeMap<String, List<Survey.Candidate>>();
    for (var candidate : survey.candidates()) {
      if (!memory.isMigrated(candidate.image()) && survey.isNewest(candidate)) {
        byImage.computeIfAbsent(candidate.image(), _ -> new ArrayList<>()).add(candidate);
      }
    }
    return byImage.entrySet().stream()
        .filter(
            entry ->
                !memory.hasSuccess()
                    || entry.getValue().stream()
                        .anyMatch(candidate -> asks(intent, memory, candidate.pod())))
        .map(entry -> wanted(intent, survey, entry.getKey(), entry.getValue()))
        .sorted(
            Comparator.<Wanted, Boolean>comparing(wanted -> !wanted.waited())
                // What made way for it must not be in its way again.
                .thenComparing(wanted -> memory.madeWaySince(wanted.image(), wanted.since()))
                .thenComparing(Wanted::since)
                .thenComparing(Wanted::image))
        .toList();
  }

  private static boolean asks(Intent intent, Memory memory, PodView pod) {
    return pod.isWaiting(intent.name()) || slippedPast(intent, memory, pod);
  }

  private static boolean slippedPast(Intent intent, Memory memory, PodView pod) {
    return !pod.isGated(intent.name()) && pod.created().isAfter(memory.lastSuccess());
  }

  private static Wanted wanted(
      Intent intent, Survey survey, String image, List<Survey.Candidate> candidates) {
    var waiting =
        candidates.stream()
            .map(Survey.Candidate::pod)
            .filter(pod -> pod.isWaiting(intent.name()))
            .map(PodView::created)
            .min(Comparator.naturalOrder());
    var oldest =
        candidates.stream()
            .map(candidate -> candidate.pod().created())
            .min(Comparator.naturalOrder())
            .orElseThrow();
    return new Wanted(
        image, survey.lender(image).orElseThrow(), waiting.orElse(oldest), waiting.isPresent());
  }
}
