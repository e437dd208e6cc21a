package net.coderanger.migrations.controller.shell;

import module java.base;

import com.google.gson.JsonObject;
import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.openapi.models.V1ObjectMeta;

/** A ReplicaSet with its raw template, which {@link Caches} drops where no replica is wanted. */
final class WatchedReplicaSet implements KubernetesObject {
  String apiVersion;
  String kind;
  V1ObjectMeta metadata;
  Spec spec;

  static final class Spec {
    Integer replicas;
    JsonObject template;
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
