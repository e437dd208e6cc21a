package net.coderanger.migrations.injector.core;

import static net.coderanger.migrations.injector.core.Raw.JSON;

import module java.base;

import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonPatchBuilder;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.injector.core.KnownMigrator.Selecting;
import net.coderanger.migrations.injector.core.KnownMigrator.Unusable;
import net.coderanger.migrations.injector.core.Outcome.AllowUntouched;
import net.coderanger.migrations.injector.core.Outcome.Patch;
import net.coderanger.migrations.injector.core.Outcome.Reason;
import net.coderanger.migrations.injector.core.Outcome.Refuse;

/**
 * Decides what becomes of a pod that is created: every Migrator that selects it gets a waiter, last
 * of the init containers, so that proxies and native sidecars before it have set up the network.
 *
 * @param settings of the waiters
 * @param exempt namespaces that never pass through us: the operator's and what it needs, so that
 *     they can start without it, and those that it does not serve
 */
public record Injection(WaiterSettings settings, Predicate<String> exempt) {
  private static final String INIT_CONTAINERS = "/spec/initContainers";
  private static final String VOLUMES = "/spec/volumes";

  /** Whether anything may become of it; if not, the Migrators are not asked for. */
  public boolean concerns(AdmissionRequest request) {
    return request.createsPod() && !exempt.test(request.namespace());
  }

  /**
   * @param migrators of the request's namespace, in any order
   * @param gate empty while nobody knows how waiters could reach it
   * @throws MalformedReview when the object is no pod that the API server could have sent
   * @throws IllegalStateException when a waiter is needed and the gate is not known
   */
  public Outcome decide(
      AdmissionRequest request,
      Collection<? extends KnownMigrator> migrators,
      Optional<Gate> gate) {
    if (!request.createsPod()) {
      return untouched(Reason.NOT_A_NEW_POD);
    }
    if (exempt.test(request.namespace())) {
      return untouched(Reason.EXEMPT_NAMESPACE);
    }
    var pod = Pod.of(request.object());
    if (pod.isMirror()) {
      return untouched(Reason.MIRROR_POD);
    }
    if (pod.isNoWait()) {
      return untouched(Reason.NO_WAIT);
    }
    var selecting = selecting(pod, migrators);
    if (selecting.isEmpty()) {
      return pod.isRequired()
          ? new Refuse(nobodySelects(pod, request.namespace(), migrators))
          : new AllowUntouched(Reason.NOT_SELECTED, strayWaiters(pod, Set.of()));
    }
    if (pod.isWindows()) {
      return windows(pod, selecting);
    }
    return gated(
        pod,
        selecting,
        gate.orElseThrow(() -> new IllegalStateException("the gate's CA is not known yet")));
  }

  private static Outcome untouched(Reason reason) {
    return new AllowUntouched(reason, List.of());
  }

  private static List<String> selecting(Pod pod, Collection<? extends KnownMigrator> migrators) {
    var labels = pod.labels();
    return migrators.stream()
        .filter(
            migrator ->
                switch (migrator) {
                  case Selecting it -> it.selects().test(labels);
                  case Unusable _ -> false;
                })
        .map(KnownMigrator::name)
        .sorted()
        .toList();
  }

  private static String nobodySelects(
      Pod pod, String namespace, Collection<? extends KnownMigrator> migrators) {
    var unusable =
        migrators.stream()
            .flatMap(it -> it instanceof Unusable bad ? Stream.of(bad) : Stream.empty())
            .sorted(Comparator.comparing(Unusable::name))
            .map(
                it ->
                    "; the selector of Migrator %s is invalid: %s".formatted(it.name(), it.fault()))
            .collect(Collectors.joining());
    return "no migrators found matching pod %s in namespace %s, and its annotation %s demands one%s"
        .formatted(pod.displayName(), namespace, Vocabulary.REQUIRED, unusable);
  }

  /** The waiter is a Linux program; what demands one would never start. */
  private static Outcome windows(Pod pod, List<String> migrators) {
    var message =
        "a Windows pod cannot wait for Migrator %s".formatted(String.join(", ", migrators));
    return pod.isRequired()
        ? new Refuse(
            "%s, but its annotation %s demands it; %s: \"true\" lets it start without"
                .formatted(message, Vocabulary.REQUIRED, Vocabulary.NO_WAIT))
        : new AllowUntouched(Reason.WINDOWS, List.of(message + ": it starts at once"));
  }

  private Outcome gated(Pod pod, List<String> migrators, Gate gate) {
    var volumes = GateVolumes.of(pod);
    var waiters =
        migrators.stream().map(it -> WaiterContainer.of(it, pod, volumes, settings, gate)).toList();
    var names = waiters.stream().map(WaiterContainer::name).collect(Collectors.toSet());
    for (var container : pod.containers()) {
      var name = container.text("name").orElse("");
      if (names.contains(name)) {
        return new Refuse(
            "the name of container %s is reserved for the init container that waits for the migration"
                .formatted(name));
      }
    }
    var warnings = warnings(pod, gate, names);
    var operations = operations(pod, volumes, waiters, names);
    return operations.isEmpty()
        ? new AllowUntouched(Reason.ALREADY_GATED, warnings)
        : new Patch(operations, warnings);
  }

  private static JsonArray operations(
      Pod pod, GateVolumes volumes, List<WaiterContainer> waiters, Set<String> names) {
    var present = pod.initContainers();
    var last = waiters.stream().map(waiter -> kept(waiter, present)).toList();
    var others =
        present.stream().filter(it -> !names.contains(it.text("name").orElse(""))).toList();
    var wanted = Stream.concat(others.stream().map(Raw::json), last.stream()).toList();
    var patch = JSON.createPatchBuilder();
    if (!wanted.equals(present.stream().map(Raw::json).toList())) {
      // From the end, so that the indexes before it hold.
      for (var i = present.size() - 1; i >= 0; i--) {
        if (names.contains(present.get(i).text("name").orElse(""))) {
          patch.remove(INIT_CONTAINERS + "/" + i);
        }
      }
      append(patch, INIT_CONTAINERS, hasArray(pod, "initContainers"), last);
    }
    append(patch, VOLUMES, hasArray(pod, "volumes"), volumes.missing());
    return patch.build().toJsonArray();
  }

  /** Ours as it stands in the pod, with what others rightly changed, else a fresh one. */
  private static JsonObject kept(WaiterContainer waiter, List<Raw> present) {
    return present.stream()
        .map(Raw::json)
        .filter(waiter::isMetBy)
        .findFirst()
        .orElse(waiter.json());
  }

  private static boolean hasArray(Pod pod, String key) {
    return pod.root().object("spec").value(key).isPresent();
  }

  private static void append(
      JsonPatchBuilder patch, String path, boolean present, List<JsonObject> added) {
    if (present) {
      added.forEach(it -> patch.add(path + "/-", it));
    } else if (!added.isEmpty()) {
      // "add" also replaces a member that is null.
      var array = JSON.createArrayBuilder();
      added.forEach(array::add);
      patch.add(path, array.build());
    }
  }

  private static List<String> warnings(Pod pod, Gate gate, Set<String> names) {
    var warnings = new ArrayList<>(strayWaiters(pod, names));
    if (pod.resolvesByItself() && gate.address().isEmpty()) {
      warnings.add(
          "the address of the migrator-controller is not known yet, and this pod may not resolve"
              + " its name: if it hangs in its init container, delete it");
    }
    return List.copyOf(warnings);
  }

  /** A pod copied from a gated one, without its labels, would wait for nobody's release. */
  private static List<String> strayWaiters(Pod pod, Set<String> ours) {
    return pod.initContainers().stream()
        .flatMap(it -> it.text("name").stream())
        .filter(it -> it.startsWith(Vocabulary.WAITER_PREFIX) && !ours.contains(it))
        .map("init container %s waits for a Migrator that does not select this pod"::formatted)
        .toList();
  }
}
