package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.v1beta1.MigratorStatus;

/**
 * Everything that a decision about one Migrator depends on.
 *
 * @param status as last written; never null
 * @param pods of the Migrator's namespace that its selector matches, and the pods of its runs
 * @param templates the template that each pod was made from, by the pod's uid
 * @param jobs of the Migrator's runs, whoever owns them
 * @param refusals what events tell of why a Job has no pod (quota, missing ServiceAccount) or its
 *     pod does not start (volumes), by the Job's name
 * @param claimNodes the node to which each ReadWriteOnce claim of a waiting pod is bound, by the
 *     claim's name
 */
public record Observed(
    Intent intent,
    MigratorStatus status,
    List<PodView> pods,
    Map<String, Template> templates,
    List<JobView> jobs,
    Map<String, String> refusals,
    Map<String, String> claimNodes,
    Instant now) {

  /** Without ReadWriteOnce claims. */
  public Observed(
      Intent intent,
      MigratorStatus status,
      List<PodView> pods,
      Map<String, Template> templates,
      List<JobView> jobs,
      Map<String, String> refusals,
      Instant now) {
    this(intent, status, pods, templates, jobs, refusals, Map.of(), now);
  }

  /** The Job of this name, if there is one. */
  Optional<JobView> job(String name) {
    return jobs.stream().filter(job -> job.name().equals(name)).findFirst();
  }

  /** The pods that this Job made. */
  List<PodView> podsOf(String job) {
    return pods.stream().filter(pod -> pod.isRunPod() && pod.jobName().equals(job)).toList();
  }

  /** All pods of this Migrator's runs. */
  List<PodView> runPods() {
    return pods.stream().filter(PodView::isRunPod).toList();
  }
}
