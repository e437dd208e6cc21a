package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.controller.core.PodView.ContainerState;

/** How one attempt of a run stands, read from its Job and pod. */
public sealed interface AttemptOutcome {
  /**
   * The migration container has not started.
   *
   * @param problem what keeps it from starting, empty when nothing is known to
   */
  record NotStarted(String problem) implements AttemptOutcome {}

  /** The migration container runs, or its end is not yet certain. */
  record Running(String pod) implements AttemptOutcome {}

  /** The migration container exited with 0 by itself. */
  record Succeeded(Instant at) implements AttemptOutcome {}

  /** The attempt failed by itself and counts. */
  record Failed(String message, Instant at) implements AttemptOutcome {}

  /** The attempt was ended from outside, or nobody can tell how it ended; it does not count. */
  record Disrupted(String message) implements AttemptOutcome {}

  /**
   * Reads the outcome.
   *
   * @param job the attempt's Job, empty when it is gone
   * @param pods the pods that the Job made
   * @param events what events tell of why there is no pod or why it does not start, empty if
   *     nothing
   */
  static AttemptOutcome of(Optional<JobView> job, List<PodView> pods, String events) {
    var outcomes = pods.stream().map(pod -> ofPod(pod, events)).toList();
    // Any pod that may still work decides, then any that succeeded.
    return first(outcomes, Running.class)
        .or(() -> first(outcomes, Succeeded.class))
        .or(() -> first(outcomes, NotStarted.class))
        .or(() -> first(outcomes, Failed.class))
        .or(() -> first(outcomes, Disrupted.class))
        .orElseGet(() -> withoutPod(job, events));
  }

  private static Optional<AttemptOutcome> first(
      List<AttemptOutcome> outcomes, Class<? extends AttemptOutcome> kind) {
    return outcomes.stream().filter(kind::isInstance).findFirst();
  }

  private static AttemptOutcome withoutPod(Optional<JobView> job, String events) {
    if (job.isEmpty() || job.get().deleting()) {
      return new Disrupted("its Job was deleted");
    }
    return job.get().ended().isPresent()
        ? new Disrupted("its pod vanished before its end was seen")
        : new NotStarted(Redaction.of(events));
  }

  private static AttemptOutcome ofPod(PodView pod, String events) {
    return switch (pod.states().get(Vocabulary.MIGRATION_CONTAINER)) {
      case ContainerState.Running _ -> pod.phase().equals("Failed") ? lost(pod) : running(pod);
      case ContainerState.Terminated end -> ended(pod, end);
      case ContainerState.Waiting waiting ->
          notStarted(pod, waiting.reason(), waiting.message(), events);
      case null -> untold(pod, events);
    };
  }

  private static AttemptOutcome running(PodView pod) {
    return new Running(pod.name());
  }

  /**
   * Nobody saw its end, and nobody will: the node is gone. It may be the migration that took it.
   */
  private static AttemptOutcome lost(PodView pod) {
    return new Failed(
        Redaction.of(
            "pod %s was lost with its node%s"
                .formatted(
                    pod.name(), withTail(pod.message().isBlank() ? pod.reason() : pod.message()))),
        pod.deletion().map(PodView.Deletion::began).orElse(pod.created()));
  }

  /** A pod whose status does not tell of the container. */
  private static AttemptOutcome untold(PodView pod, String events) {
    return switch (pod.phase()) {
      case "Running", "Unknown" -> running(pod);
      case "Succeeded" ->
          new Disrupted("pod %s does not tell how its migration ended".formatted(pod.name()));
      default -> notStarted(pod, "", "", events);
    };
  }

  private static AttemptOutcome ended(PodView pod, ContainerState.Terminated end) {
    if (wasStoppedBefore(pod, end.finished())) {
      // A migrator that stops gracefully exits with 0 and leaves half a schema.
      return new Disrupted(
          "pod %s was stopped from outside (deleted, drained or evicted)".formatted(pod.name()));
    }
    if (wasOverdue(pod, end.finished())) {
      return overdue(pod, end.finished());
    }
    if (end.exitCode() == 0 && pod.reason().equals("Evicted")) {
      // For its own use of storage: the kubelet adds no DisruptionTarget then.
      return new Failed(
          Redaction.of("pod %s was evicted%s".formatted(pod.name(), withTail(pod.message()))),
          end.finished());
    }
    if (end.exitCode() == 0) {
      return new Succeeded(end.finished());
    }
    var why =
        end.reason().isEmpty() || end.reason().equals("Error") ? "" : " (" + end.reason() + ")";
    return new Failed(
        Redaction.of("exit code %d%s%s".formatted(end.exitCode(), why, withTail(end.message()))),
        end.finished());
  }

  private static boolean wasStoppedBefore(PodView pod, Instant finished) {
    // Kubernetes' times have whole seconds: within the same second nobody knows, so it counts as
    // stopped.
    return pod.deletion().map(deletion -> !finished.isBefore(deletion.began())).orElse(false)
        || pod.disrupted().map(time -> !finished.isBefore(time)).orElse(false);
  }

  // The kubelet counts from status.startTime and may tell its reason only after the end.
  private static boolean wasOverdue(PodView pod, Instant finished) {
    return pod.started().isPresent() && pod.activeDeadlineSeconds().isPresent()
        ? !finished.isBefore(
            pod.started().get().plusSeconds(pod.activeDeadlineSeconds().getAsLong()))
        : pod.reason().equals("DeadlineExceeded");
  }

  private static AttemptOutcome overdue(PodView pod, Instant at) {
    return new Failed(
        "took longer than spec.activeDeadlineSeconds%s"
            .formatted(
                pod.activeDeadlineSeconds().isPresent()
                    ? " (" + pod.activeDeadlineSeconds().getAsLong() + " s)"
                    : ""),
        at);
  }

  private static AttemptOutcome notStarted(
      PodView pod, String reason, String message, String events) {
    if (pod.phase().equals("Failed")) {
      return failedBeforeStart(pod);
    }
    if (pod.deletion().isPresent()) {
      // It may start within its grace period only if it had been about to; the next look tells.
      return new Running(pod.name());
    }
    return new NotStarted(Redaction.of(problem(pod, reason, message, events)));
  }

  private static String problem(PodView pod, String reason, String message, String events) {
    var init =
        pod.initContainers().stream()
            .map(name -> initProblem(name, pod.states().get(name)))
            .filter(problem -> !problem.isEmpty())
            .findFirst();
    if (init.isPresent()) {
      return "pod %s: %s".formatted(pod.name(), init.get());
    }
    if (!pod.unschedulable().isEmpty()) {
      return "pod %s cannot be scheduled: %s".formatted(pod.name(), pod.unschedulable());
    }
    if (isProblem(reason)) {
      return "pod %s: %s: %s".formatted(pod.name(), reason, message);
    }
    return events.isEmpty() ? "" : "pod %s: %s".formatted(pod.name(), events);
  }

  private static AttemptOutcome failedBeforeStart(PodView pod) {
    var at = pod.started().orElse(pod.created());
    if (pod.disrupted().isPresent()
        || pod.deletion().isPresent()
        || Set.of("Evicted", "NodeLost", "Preempting", "Shutdown", "NodeShutdown", "Terminated")
            .contains(pod.reason())) {
      return new Disrupted("pod %s was stopped before it started".formatted(pod.name()));
    }
    if (pod.reason().equals("DeadlineExceeded")) {
      return overdue(pod, at);
    }
    for (var name : pod.initContainers()) {
      if (pod.states().get(name) instanceof ContainerState.Terminated end && end.exitCode() != 0) {
        return new Failed(
            Redaction.of(
                "init container %s: exit code %d%s"
                    .formatted(name, end.exitCode(), withTail(end.message()))),
            end.finished());
      }
    }
    return new Failed(
        Redaction.of("pod %s failed: %s %s".formatted(pod.name(), pod.reason(), pod.message())),
        at);
  }

  private static String initProblem(String name, ContainerState state) {
    return state instanceof ContainerState.Waiting(var reason, var message) && isProblem(reason)
        ? "init container %s: %s: %s".formatted(name, reason, message)
        : "";
  }

  private static boolean isProblem(String reason) {
    return !reason.isEmpty()
        && !reason.equals("PodInitializing")
        && !reason.equals("ContainerCreating");
  }

  private static String withTail(String message) {
    return message.isBlank() ? "" : ": " + message.strip();
  }
}
