package net.coderanger.migrations.kube;

import module java.base;

import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.util.ClientBuilder;
import net.coderanger.migrations.api.LenientJson;

/**
 * Two clients of the API server: watches stay open without limit, calls do not.
 *
 * @param calls for everything that must answer
 * @param watches for informers
 */
public record KubeClients(ApiClient calls, ApiClient watches) {
  /**
   * From KUBECONFIG, else the user's file, else the pod's service account.
   *
   * @param timeout of one call
   * @throws IOException when the configuration cannot be read
   */
  public static KubeClients standard(Duration timeout) throws IOException {
    LenientJson.install();
    return new KubeClients(calling(timeout), calling(Duration.ZERO));
  }

  /**
   * One more client, with connections of its own.
   *
   * @param timeout of one call, 0 for none
   * @throws IOException when the configuration cannot be read
   */
  public static ApiClient calling(Duration timeout) throws IOException {
    return ClientBuilder.standard().setReadTimeout(timeout).build();
  }
}
