package net.coderanger.migrations.e2e;

import module java.base;

import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;

/**
 * Ends processes of the operator as a fault of the machine would: with no moment to say farewell.
 * Works on every cluster that lets a privileged pod run.
 */
final class Killer implements AutoCloseable {
  private final Lab lab;
  private final String namespace = "killer-" + Long.toString(System.nanoTime(), 36);

  Killer(Lab lab) throws ApiException {
    this.lab = lab;
    lab.create(
        "/api/v1/namespaces",
        "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"pod-security.kubernetes.io/enforce\":\"privileged\"}}}"
            .formatted(namespace));
    lab.create(
        "/apis/apps/v1/namespaces/%s/daemonsets".formatted(namespace),
        """
        {"metadata":{"name":"killer"},"spec":{"selector":{"matchLabels":{"name":"killer"}},
         "template":{"metadata":{"labels":{"name":"killer"}},"spec":{"hostPID":true,"terminationGracePeriodSeconds":0,
          "tolerations":[{"operator":"Exists"}],
          "containers":[{"name":"killer","image":"%s","imagePullPolicy":"IfNotPresent","command":["sleep","7200"],
           "securityContext":{"privileged":true,"runAsUser":0}}]}}}}
        """
            .formatted(Shop.image(1)));
    lab.kubectl("", "-n", namespace, "rollout", "status", "daemonset/killer", "--timeout=60s");
  }

  /** Sends a signal to every process of this service, on all nodes; answers to how many. */
  int signal(String signal, String service) throws ApiException {
    var count = 0;
    for (var pod : lab.list("/api/v1/namespaces/%s/pods".formatted(namespace))) {
      var script =
          """
          # The brackets: this shell's own command line does not match.
          for process in /proc/[0-9]*; do
            if tr '\\0' ' ' 2>/dev/null <"$process/cmdline" | grep -q -- '-[j]ar /app/classpath/%s-'; then
              kill -%s "${process#/proc/}" && echo "${process#/proc/}"
            fi
          done
          """
              .formatted(service, signal);
      count +=
          (int)
              lab.kubectl("", "-n", namespace, "exec", Shop.name(pod), "--", "sh", "-c", script)
                  .lines()
                  .count();
    }
    return count;
  }

  /**
   * Kills all replicas of this service, and removes their pods, so that the next ones come without
   * the kubelet's back-off.
   */
  int kill(String service) throws ApiException {
    var pods =
        lab
            .list(
                "/api/v1/namespaces/migrations-operator/pods?labelSelector=app.kubernetes.io/name%3D"
                    + service)
            .stream()
            .map(Shop::name)
            .toList();
    var killed = signal("KILL", service);
    for (var pod : pods) {
      remove(pod);
    }
    return killed;
  }

  private void remove(String pod) throws ApiException {
    Optional<JsonObject> present = lab.find("/api/v1/namespaces/migrations-operator/pods/" + pod);
    if (present.isPresent()) {
      lab.kubectl(
          "",
          "-n",
          "migrations-operator",
          "delete",
          "pod",
          pod,
          "--grace-period=0",
          "--force",
          "--ignore-not-found");
    }
  }

  /**
   * Takes the API server away for so long, as far as it is a static pod; it is brought back by the
   * node itself. Returns before.
   */
  void takeApiServerAway(Duration time) throws ApiException {
    var node =
        lab.list("/api/v1/nodes?labelSelector=node-role.kubernetes.io/control-plane")
            .getFirst()
            .getAsJsonObject("metadata")
            .get("name")
            .getAsString();
    var pod =
        lab.list(
                "/api/v1/namespaces/%s/pods?fieldSelector=spec.nodeName%%3D%s"
                    .formatted(namespace, node))
            .getFirst();
    var script =
        """
        cd /proc/1/root/etc/kubernetes
        trap '' HUP
        { sleep 1; mv manifests/kube-apiserver.yaml .; sleep %d; mv kube-apiserver.yaml manifests/; } >/dev/null 2>&1 &
        """
            .formatted(time.toSeconds());
    lab.kubectl("", "-n", namespace, "exec", Shop.name(pod), "--", "sh", "-c", script);
  }

  @Override
  public void close() throws ApiException {
    lab.delete("/api/v1/namespaces/" + namespace);
  }
}
