package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.openapi.models.V1ObjectMeta;

/** A Job with only the fields that the core reads. */
final class WatchedJob implements KubernetesObject {
  String apiVersion;
  String kind;
  V1ObjectMeta metadata;
  Spec spec;
  Status status;

  static final class Spec {
    Boolean suspend;
  }

  static final class Status {
    List<WatchedPod.Condition> conditions;
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
