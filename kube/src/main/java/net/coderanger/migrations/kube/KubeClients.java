package net.coderanger.migrations.kube;

import module java.base;

import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.util.ClientBuilder;
import net.coderanger.migrations.api.LenientJson;

/** Clients of the API server, which together tell once that it cannot be reached. */
public final class KubeClients {
  private final Reachability reachability = new Reachability();
  private final ApiClient calls;
  private final ApiClient watches;

  private KubeClients(Duration timeout) throws IOException {
    calls = another(timeout);
    watches = another(Duration.ZERO);
  }

  /**
   * From KUBECONFIG, else the user's file, else the pod's service account.
   *
   * @param timeout of one call
   * @throws IOException when the configuration cannot be read
   */
  public static KubeClients standard(Duration timeout) throws IOException {
    LenientJson.install();
    return new KubeClients(timeout);
  }

  /** For everything that must answer. */
  public ApiClient calls() {
    return calls;
  }

  /** For informers: watches stay open without limit. */
  public ApiClient watches() {
    return watches;
  }

  /**
   * One more client, with connections of its own.
   *
   * @param timeout of one call, 0 for none
   * @throws IOException when the configuration cannot be read
   */
  public ApiClient another(Duration timeout) throws IOException {
    var client = ClientBuilder.standard().setReadTimeout(timeout).build();
    client.setHttpClient(client.getHttpClient().newBuilder().addInterceptor(reachability).build());
    return client;
  }
}
