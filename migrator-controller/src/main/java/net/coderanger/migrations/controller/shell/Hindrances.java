package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.MigratorStatus;
import net.coderanger.migrations.controller.core.JobView;
import net.coderanger.migrations.controller.core.PodView;
import net.coderanger.migrations.controller.core.PodView.ContainerState;

/**
 * What only events tell of an attempt that does not start: why its Job has no pod (quota, missing
 * ServiceAccount), and why its pod has no container yet (volumes). Read only once it is overdue.
 */
final class Hindrances {
  private static final Duration POD_DUE = Duration.ofSeconds(2);
  private static final Duration CONTAINER_DUE = Duration.ofSeconds(5);

  private final Api api;

  Hindrances(Api api) {
    this.api = api;
  }

  /** The message by the Job's name; empty when nothing is known to be in the way. */
  Map<String, String> of(
      String namespace,
      MigratorStatus status,
      List<JobView> jobs,
      List<PodView> runPods,
      Instant now)
      throws ApiException {
    if (status.getCurrent() == null || status.getCurrent().getJob() == null) {
      return Map.of();
    }
    var name = status.getCurrent().getJob();
    var pod = runPods.stream().filter(candidate -> candidate.jobName().equals(name)).findFirst();
    var object =
        pod.isPresent()
            ? pod.filter(Hindrances::hasNotBegun)
                .filter(found -> found.created().plus(CONTAINER_DUE).isBefore(now))
                .map(PodView::uid)
            : jobs.stream()
                .filter(job -> job.name().equals(name))
                .filter(job -> !job.suspended() && job.ended().isEmpty())
                .filter(job -> job.created().plus(POD_DUE).isBefore(now))
                .map(JobView::uid)
                .findFirst();
    return object.isEmpty() ? Map.of() : warning(namespace, name, object.get());
  }

  private Map<String, String> warning(String namespace, String job, String uid)
      throws ApiException {
    var events =
        api.listByField(
            Paths.events(namespace), "involvedObject.uid=%s,type=Warning".formatted(uid));
    return StreamSupport.stream(events.getAsJsonArray("items").spliterator(), false)
        .map(event -> event.getAsJsonObject().get("message"))
        .filter(Objects::nonNull)
        .reduce((first, second) -> second)
        .map(message -> Map.of(job, message.getAsString()))
        .orElse(Map.of());
  }

  private static boolean hasNotBegun(PodView pod) {
    return switch (pod.states().get(Vocabulary.MIGRATION_CONTAINER)) {
      case ContainerState.Running _, ContainerState.Terminated _ -> false;
      case ContainerState.Waiting _ -> true;
      case null -> true;
    };
  }
}
