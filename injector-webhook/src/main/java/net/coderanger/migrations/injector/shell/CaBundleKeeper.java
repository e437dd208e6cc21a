package net.coderanger.migrations.injector.shell;

import module java.base;

import io.kubernetes.client.custom.V1Patch;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.models.V1MutatingWebhookConfiguration;
import io.kubernetes.client.openapi.models.V1MutatingWebhookConfigurationList;
import io.kubernetes.client.util.generic.GenericKubernetesApi;
import io.kubernetes.client.util.generic.options.PatchOptions;
import jakarta.json.Json;
import jakarta.json.JsonArray;
import net.coderanger.migrations.kube.ApiErrors;
import net.coderanger.migrations.kube.Recurring;

/**
 * Keeps caBundle of our MutatingWebhookConfiguration true, whoever edits it: with a wrong one the
 * API server cannot call us, and lets pods in ungated.
 */
public final class CaBundleKeeper {
  private static final System.Logger LOG = System.getLogger(CaBundleKeeper.class.getName());
  private static final String FIELD_MANAGER = "injector-webhook";

  /**
   * The least time between two patches. Two replicas that know different CAs for a moment would
   * else undo each other's patches without pause.
   */
  private static final Duration PAUSE = Duration.ofSeconds(2);

  private final Recurring setting =
      new Recurring(LOG, "caBundle of the webhook configuration can be set again");
  private final Effect effect;
  private final Semaphore changes = new Semaphore(0);
  private final AtomicReference<String> wanted = new AtomicReference<>("");
  private final AtomicReference<Optional<V1MutatingWebhookConfiguration>> seen =
      new AtomicReference<>(Optional.empty());

  /** The one thing that is done to the API. */
  interface Effect {
    void patch(JsonArray patch) throws ApiException;
  }

  CaBundleKeeper(Effect effect) {
    this.effect = effect;
  }

  /**
   * Begins to watch the configuration and to repair it.
   *
   * @param calls with a read timeout
   * @param watches without one
   */
  public static CaBundleKeeper start(String name, ApiClient calls, ApiClient watches) {
    var options = new PatchOptions();
    options.setFieldManager(FIELD_MANAGER);
    var keeper =
        new CaBundleKeeper(
            patch ->
                ApiErrors.objectOf(
                    api(calls)
                        .patch(
                            name,
                            V1Patch.PATCH_FORMAT_JSON_PATCH,
                            new V1Patch(patch.toString()),
                            options)));
    new NamedObject<>(V1MutatingWebhookConfiguration.class, api(watches), Optional.empty(), name)
        .watch(watches, keeper::sees);
    Thread.ofVirtual().name("ca-bundle").start(keeper::keep);
    return keeper;
  }

  private static GenericKubernetesApi<
          V1MutatingWebhookConfiguration, V1MutatingWebhookConfigurationList>
      api(ApiClient client) {
    return new GenericKubernetesApi<>(
        V1MutatingWebhookConfiguration.class,
        V1MutatingWebhookConfigurationList.class,
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        client);
  }

  /** The bundle that shall be there, in PEM; empty leaves the configuration alone. */
  public void want(String pem) {
    wanted.set(pem);
    changes.release();
  }

  void sees(Optional<V1MutatingWebhookConfiguration> configuration) {
    seen.set(configuration);
    changes.release();
  }

  private void keep() {
    try {
      while (true) {
        changes.acquire();
        changes.drainPermits();
        if (!repair()) {
          continue;
        }
        Thread.sleep(PAUSE);
        // Whatever came meanwhile, and a patch that failed.
        changes.release();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether there was anything to do, done or failed. */
  boolean repair() {
    var patch = seen.get().map(it -> patch(it, wanted.get())).orElse(JsonArray.EMPTY_JSON_ARRAY);
    if (patch.isEmpty()) {
      return false;
    }
    try {
      effect.patch(patch);
      setting.succeeded();
      LOG.log(System.Logger.Level.INFO, "caBundle of the webhook configuration set");
    } catch (ApiException | RuntimeException e) {
      setting.failed("caBundle of the webhook configuration not set, which is tried again", e);
    }
    return true;
  }

  /**
   * What makes caBundle of every webhook this bundle; each place is tested by name, since somebody
   * may have reordered them.
   */
  static JsonArray patch(V1MutatingWebhookConfiguration configuration, String pem) {
    var patch = Json.createPatchBuilder();
    if (pem.isEmpty() || configuration.getWebhooks() == null) {
      return JsonArray.EMPTY_JSON_ARRAY;
    }
    var bundle = pem.getBytes(StandardCharsets.US_ASCII);
    for (var i = 0; i < configuration.getWebhooks().size(); i++) {
      var webhook = configuration.getWebhooks().get(i);
      if (!Arrays.equals(bundle, webhook.getClientConfig().getCaBundle())) {
        var path = "/webhooks/" + i;
        patch
            .test(path + "/name", webhook.getName())
            .add(path + "/clientConfig/caBundle", Base64.getEncoder().encodeToString(bundle));
      }
    }
    return patch.build().toJsonArray();
  }
}
