package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.Names;
import net.coderanger.migrations.api.Vocabulary;

/**
 * What the core reads of a pod.
 *
 * @param images image of each ordinary container by its name, in the pod's order
 * @param initContainers names of the init containers
 * @param states last known state of each container, init containers included, by name
 * @param deletion when and how its deletion began, if it did
 * @param reason the pod's status.reason, empty if none
 * @param unschedulable message of a PodScheduled condition that is false, empty otherwise
 */
public record PodView(
    String name,
    String uid,
    Map<String, String> labels,
    Map<String, String> annotations,
    Instant created,
    Optional<Owner> controller,
    String phase,
    String reason,
    String message,
    Optional<Instant> started,
    Optional<Deletion> deletion,
    Optional<Instant> disrupted,
    String unschedulable,
    OptionalLong activeDeadlineSeconds,
    SequencedMap<String, String> images,
    List<String> initContainers,
    Map<String, ContainerState> states) {

  /** The controller that made an object: its controlling owner reference. */
  public record Owner(String apiVersion, String kind, String name, String uid) {}

  /**
   * A deletion under way.
   *
   * @param deadline metadata.deletionTimestamp: when the grace period ends
   * @param began when it was asked for: the deadline less the grace period
   */
  public record Deletion(Instant deadline, Instant began) {}

  /** State of a container, as the kubelet told it last. */
  public sealed interface ContainerState {
    /** Not started. */
    record Waiting(String reason, String message) implements ContainerState {}

    /** Started and not ended. */
    record Running(Instant since) implements ContainerState {}

    /**
     * Ended.
     *
     * @param message its termination message, possibly the end of its log
     */
    record Terminated(int exitCode, String reason, String message, Instant finished)
        implements ContainerState {}
  }

  /** Whether the pod is the migration itself. */
  public boolean isRunPod() {
    return labels.containsKey(Vocabulary.RUN_LABEL);
  }

  /** Whether the pod asked to be left alone. */
  public boolean isExempt() {
    return "true".equals(annotations.get(Vocabulary.NO_WAIT));
  }

  /** Whether the pod is neither being deleted nor ended. */
  public boolean isLive() {
    return deletion.isEmpty() && (phase.equals("Pending") || phase.equals("Running"));
  }

  /** Whether the pod has the waiter of this Migrator. */
  public boolean isGated(String migrator) {
    return initContainers.contains(Names.waiter(migrator));
  }

  /** Whether the waiter of this Migrator has not yet been released. */
  public boolean isWaiting(String migrator) {
    return isGated(migrator)
        && !(states.get(Names.waiter(migrator))
                instanceof ContainerState.Terminated(var exitCode, _, _, _)
            && exitCode == 0);
  }

  /** Name of the Job that made this pod, empty if none did. */
  public String jobName() {
    return controller
        .filter(owner -> owner.kind().equals("Job"))
        .map(Owner::name)
        .orElseGet(() -> labels.getOrDefault("batch.kubernetes.io/job-name", ""));
  }
}
