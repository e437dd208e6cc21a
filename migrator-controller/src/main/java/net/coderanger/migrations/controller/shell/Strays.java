package net.coderanger.migrations.controller.shell;

import module java.base;

import net.coderanger.migrations.controller.core.PodView;
import net.coderanger.migrations.controller.core.Stray;

/** Tells of each pod that slipped past the injector, once for as long as this replica leads. */
final class Strays {
  /** Reason of the event on the pod. */
  private static final String REASON = "NotGated";

  private final Events events;
  private final Progress progress;
  private final Map<String, Set<Key>> told = new ConcurrentHashMap<>();

  Strays(Caches caches, Events events, Progress progress) {
    this.events = events;
    this.progress = progress;
    caches.onPodGone(told::remove);
  }

  void tell(Key key, List<Stray> strays) {
    for (var stray : strays) {
      var pod = stray.pod();
      if (told.computeIfAbsent(pod.uid(), _ -> ConcurrentHashMap.newKeySet()).add(key)) {
        events.post(
            key.namespace(),
            new PodView.Owner("v1", "Pod", pod.name(), pod.uid()),
            true,
            REASON,
            stray.message());
        progress.slippedPast(key);
      }
    }
  }
}
