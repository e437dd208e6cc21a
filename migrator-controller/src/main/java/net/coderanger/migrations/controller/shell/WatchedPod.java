package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.openapi.models.V1ObjectMeta;

/**
 * A pod with only the fields that the core reads: Gson leaves the rest out, so that a cache of
 * thousands stays small and a field of a newer cluster cannot break it.
 */
final class WatchedPod implements KubernetesObject {
  String apiVersion;
  String kind;
  V1ObjectMeta metadata;
  Spec spec;
  Status status;

  static final class Spec {
    List<Container> containers;
    List<Container> initContainers;
    List<Volume> volumes;
    String nodeName;
    Long activeDeadlineSeconds;
  }

  static final class Container {
    String name;
    String image;
  }

  static final class Volume {
    Claim persistentVolumeClaim;
  }

  static final class Claim {
    String claimName;
  }

  static final class Status {
    String phase;
    String reason;
    String message;
    OffsetDateTime startTime;
    List<Condition> conditions;
    List<ContainerStatus> initContainerStatuses;
    List<ContainerStatus> containerStatuses;
  }

  static final class Condition {
    String type;
    String status;
    String message;
    OffsetDateTime lastTransitionTime;
  }

  static final class ContainerStatus {
    String name;
    State state;
  }

  static final class State {
    Waiting waiting;
    Running running;
    Terminated terminated;
  }

  static final class Waiting {
    String reason;
    String message;
  }

  static final class Running {
    OffsetDateTime startedAt;
  }

  static final class Terminated {
    int exitCode;
    String reason;
    String message;
    OffsetDateTime finishedAt;
  }

  @Override
  public V1ObjectMeta getMetadata() {
    return metadata;
  }

  @Override
  public String getApiVersion() {
    return apiVersion;
  }

  @Override
  public String getKind() {
    return kind;
  }
}
