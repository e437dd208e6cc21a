package net.coderanger.migrations.controller.shell;

import module java.base;

import io.kubernetes.client.openapi.ApiException;

/** Which claims bind a migration to a node: ReadWriteOnce ones that a waiting pod has there. */
final class Claims {
  private final Api api;

  /** Whether a claim is ReadWriteOnce, by namespace and name; its access modes never change. */
  private final Map<String, Boolean> readWriteOnce = new ConcurrentHashMap<>();

  Claims(Api api) {
    this.api = api;
  }

  /** Names of the pod's ReadWriteOnce claims, each with the pod's node; none while it has none. */
  Map<String, String> nodes(String namespace, WatchedPod pod) throws ApiException {
    var nodes = new HashMap<String, String>();
    if (pod.spec == null || pod.spec.nodeName == null) {
      return nodes;
    }
    for (var volume : Views.orEmpty(pod.spec.volumes)) {
      if (volume.persistentVolumeClaim != null) {
        var claim = volume.persistentVolumeClaim.claimName;
        if (isReadWriteOnce(namespace, claim)) {
          nodes.put(claim, pod.spec.nodeName);
        }
      }
    }
    return nodes;
  }

  private boolean isReadWriteOnce(String namespace, String claim) throws ApiException {
    var key = namespace + "/" + claim;
    var known = readWriteOnce.get(key);
    if (known == null) {
      var found = api.find(Paths.object("v1", "persistentvolumeclaims", namespace, claim));
      if (found.isEmpty()) {
        return false; // a claim that does not exist yet
      }
      var modes = found.get().getAsJsonObject("spec").getAsJsonArray("accessModes").toString();
      known = modes.contains("\"ReadWriteOnce\"");
      readWriteOnce.put(key, known);
    }
    return known;
  }
}
