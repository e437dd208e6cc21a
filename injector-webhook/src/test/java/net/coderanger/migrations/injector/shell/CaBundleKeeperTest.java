package net.coderanger.migrations.injector.shell;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.models.AdmissionregistrationV1WebhookClientConfig;
import io.kubernetes.client.openapi.models.V1MutatingWebhook;
import io.kubernetes.client.openapi.models.V1MutatingWebhookConfiguration;
import org.junit.jupiter.api.Test;

class CaBundleKeeperTest {
  private final List<String> patches = new ArrayList<>();
  private final CaBundleKeeper keeper = new CaBundleKeeper(it -> patches.add(it.toString()));

  @Test
  void aWrongBundleIsReplacedAndARightOneLeftAlone() {
    keeper.want("PEM");
    keeper.sees(Optional.of(configuration("PEM", "old", null)));
    assertTrue(keeper.repair());
    var expected =
        """
        [{"op":"test","path":"/webhooks/1/name","value":"w1"},
        {"op":"add","path":"/webhooks/1/clientConfig/caBundle","value":"UEVN"},
        {"op":"test","path":"/webhooks/2/name","value":"w2"},
        {"op":"add","path":"/webhooks/2/clientConfig/caBundle","value":"UEVN"}]
        """
            .replace("\n", "");
    assertEquals(List.of(expected), patches);
  }

  @Test
  void nothingIsDoneWhileEitherSideIsUnknown() {
    assertFalse(keeper.repair());
    keeper.sees(Optional.of(configuration("old")));
    assertFalse(keeper.repair());
    keeper.want("PEM");
    keeper.sees(Optional.empty());
    assertFalse(keeper.repair());
    assertEquals(List.of(), patches);
  }

  @Test
  void aFailureIsNotTheEndOfIt() {
    var failing =
        new CaBundleKeeper(
            _ -> {
              throw new ApiException(403, "no");
            });
    failing.want("PEM");
    failing.sees(Optional.of(configuration("old")));
    assertTrue(failing.repair());
    assertTrue(failing.repair());
  }

  private static V1MutatingWebhookConfiguration configuration(String... bundles) {
    var configuration = new V1MutatingWebhookConfiguration();
    for (var bundle : bundles) {
      var name = "w" + Optional.ofNullable(configuration.getWebhooks()).map(List::size).orElse(0);
      var client = new AdmissionregistrationV1WebhookClientConfig();
      client.setCaBundle(bundle == null ? null : bundle.getBytes());
      configuration.addWebhooksItem(new V1MutatingWebhook().name(name).clientConfig(client));
    }
    return configuration;
  }
}
