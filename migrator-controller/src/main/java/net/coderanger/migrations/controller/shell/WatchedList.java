package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.common.KubernetesListObject;
import io.kubernetes.client.common.KubernetesObject;
import io.kubernetes.client.openapi.models.V1ListMeta;

/** A list as the API server sends it. */
abstract class WatchedList<T extends KubernetesObject> implements KubernetesListObject {
  String apiVersion;
  String kind;
  V1ListMeta metadata;
  List<T> items;

  static final class Pods extends WatchedList<WatchedPod> {}

  static final class Jobs extends WatchedList<WatchedJob> {}

  static final class ReplicaSets extends WatchedList<WatchedReplicaSet> {}

  @Override
  public V1ListMeta getMetadata() {
    return metadata;
  }

  @Override
  public List<T> getItems() {
    return items;
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
