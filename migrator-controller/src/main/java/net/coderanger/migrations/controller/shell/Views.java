package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.openapi.models.V1ObjectMeta;
import io.kubernetes.client.openapi.models.V1OwnerReference;
import net.coderanger.migrations.controller.core.JobView;
import net.coderanger.migrations.controller.core.PodView;
import net.coderanger.migrations.controller.core.PodView.ContainerState;

/** Turns what the API server sends into what the core reads; null ends here. */
final class Views {
  private static final long DEFAULT_GRACE_SECONDS = 30;

  private Views() {}

  static PodView pod(WatchedPod pod) {
    var meta = pod.metadata;
    var spec = Objects.requireNonNullElseGet(pod.spec, WatchedPod.Spec::new);
    var status = Objects.requireNonNullElseGet(pod.status, WatchedPod.Status::new);
    var images = new LinkedHashMap<String, String>();
    orEmpty(spec.containers).forEach(c -> images.put(c.name, orEmpty(c.image)));
    var states = new HashMap<String, ContainerState>();
    for (var list :
        List.of(orEmpty(status.initContainerStatuses), orEmpty(status.containerStatuses))) {
      list.forEach(container -> states.put(container.name, state(container.state)));
    }
    return new PodView(
        meta.getName(),
        orEmpty(meta.getUid()),
        orEmpty(meta.getLabels()),
        orEmpty(meta.getAnnotations()),
        instant(meta.getCreationTimestamp()),
        controller(meta),
        // A pod that nobody has looked at yet is pending.
        status.phase == null ? "Pending" : status.phase,
        orEmpty(status.reason),
        orEmpty(status.message),
        Optional.ofNullable(status.startTime).map(OffsetDateTime::toInstant),
        deletion(meta),
        condition(status, "DisruptionTarget", "True").map(c -> instant(c.lastTransitionTime)),
        condition(status, "PodScheduled", "False").map(c -> orEmpty(c.message)).orElse(""),
        spec.activeDeadlineSeconds == null
            ? OptionalLong.empty()
            : OptionalLong.of(spec.activeDeadlineSeconds),
        images,
        orEmpty(spec.initContainers).stream().map(c -> c.name).toList(),
        states);
  }

  static JobView job(WatchedJob job) {
    var meta = job.metadata;
    var conditions =
        job.status == null ? List.<WatchedPod.Condition>of() : orEmpty(job.status.conditions);
    var end =
        conditions.stream()
            .filter(c -> "True".equals(c.status))
            .filter(c -> "Complete".equals(c.type) || "Failed".equals(c.type))
            .findFirst();
    return new JobView(
        meta.getName(),
        orEmpty(meta.getUid()),
        controller(meta).map(PodView.Owner::uid).orElse(""),
        orEmpty(meta.getAnnotations()),
        instant(meta.getCreationTimestamp()),
        meta.getDeletionTimestamp() != null,
        job.spec != null && Boolean.TRUE.equals(job.spec.suspend),
        end.map(c -> instant(c.lastTransitionTime)),
        end.filter(c -> "Complete".equals(c.type)).isPresent());
  }

  static Optional<PodView.Owner> controller(V1ObjectMeta meta) {
    return orEmpty(meta.getOwnerReferences()).stream()
        .filter(owner -> Boolean.TRUE.equals(owner.getController()))
        .map(Views::owner)
        .findFirst();
  }

  private static PodView.Owner owner(V1OwnerReference reference) {
    return new PodView.Owner(
        reference.getApiVersion(), reference.getKind(), reference.getName(), reference.getUid());
  }

  private static Optional<PodView.Deletion> deletion(V1ObjectMeta meta) {
    return Optional.ofNullable(meta.getDeletionTimestamp())
        .map(
            deadline ->
                new PodView.Deletion(
                    deadline.toInstant(),
                    deadline
                        .toInstant()
                        .minusSeconds(
                            Objects.requireNonNullElse(
                                meta.getDeletionGracePeriodSeconds(), DEFAULT_GRACE_SECONDS))));
  }

  private static Optional<WatchedPod.Condition> condition(
      WatchedPod.Status status, String type, String value) {
    return orEmpty(status.conditions).stream()
        .filter(c -> type.equals(c.type) && value.equals(c.status))
        .findFirst();
  }

  private static ContainerState state(WatchedPod.State state) {
    if (state != null && state.terminated != null) {
      var end = state.terminated;
      return new ContainerState.Terminated(
          end.exitCode, orEmpty(end.reason), orEmpty(end.message), instant(end.finishedAt));
    }
    if (state != null && state.running != null) {
      return new ContainerState.Running(instant(state.running.startedAt));
    }
    return state != null && state.waiting != null
        ? new ContainerState.Waiting(orEmpty(state.waiting.reason), orEmpty(state.waiting.message))
        : new ContainerState.Waiting("", "");
  }

  static Instant instant(OffsetDateTime time) {
    return time == null ? Instant.EPOCH : time.toInstant();
  }

  static String orEmpty(String text) {
    return Objects.requireNonNullElse(text, "");
  }

  static <T> List<T> orEmpty(List<T> list) {
    return Objects.requireNonNullElse(list, List.of());
  }

  static Map<String, String> orEmpty(Map<String, String> map) {
    return Objects.requireNonNullElse(map, Map.of());
  }
}
