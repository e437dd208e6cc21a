package net.coderanger.migrations.injector.shell;

import module java.base;

import io.helidon.config.Config;
import io.kubernetes.client.custom.Quantity;
import io.kubernetes.client.custom.QuantityFormatException;
import net.coderanger.migrations.injector.core.WaiterSettings;
import net.coderanger.migrations.kube.Namespaces;
import net.coderanger.migrations.kube.TlsSettings;

/**
 * The injector's configuration, checked. Keys, defaults and meanings: application.yaml.
 *
 * @param namespace that the operator lives in
 * @param namespaces whose pods may be made to wait
 * @param webhookConfiguration name of the MutatingWebhookConfiguration that calls us
 * @param waiter what is the same for all waiters
 * @param gateService name of the gate's Service
 * @param gateCaConfigMap name of the ConfigMap with the gate's CAs; unused when there is a file
 * @param gateCaFile a file with the gate's CAs
 * @param drain from SIGTERM to the closing of the sockets
 * @param tls of the webhook's port
 */
public record InjectorSettings(
    String namespace,
    Namespaces namespaces,
    String webhookConfiguration,
    WaiterSettings waiter,
    String gateService,
    String gateCaConfigMap,
    Optional<Path> gateCaFile,
    Duration drain,
    TlsSettings tls) {
  /** A DNS label (RFC 1123), the form of a namespace's and a Service's name. */
  private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

  /** A DNS subdomain (RFC 1123), the form of other objects' names. */
  private static final Pattern SUBDOMAIN =
      Pattern.compile("(?=.{1,253}$)" + LABEL.pattern() + "(\\." + LABEL.pattern() + ")*");

  /**
   * @throws IllegalArgumentException naming the key of a bad value
   */
  public static InjectorSettings from(Config config) {
    var injector = config.get("injector");
    var namespace = value(injector, "namespace", matching(LABEL));
    var gateService = value(injector, "gate-service", matching(LABEL));
    var port = value(injector, "gate-port", number(1, 65_535));
    var waiter =
        new WaiterSettings(
            value(injector, "waiter-image", matching(Pattern.compile("\\S+"))),
            value(injector, "waiter-user", number(1, Integer.MAX_VALUE)),
            value(injector, "waiter-group", number(0, Integer.MAX_VALUE)),
            value(injector, "waiter-cpu-request", InjectorSettings::quantity),
            value(injector, "waiter-cpu-limit", InjectorSettings::quantity),
            value(injector, "waiter-memory", InjectorSettings::quantity),
            "https://%s.%s.svc:%d".formatted(gateService, namespace, port));
    return new InjectorSettings(
        namespace,
        Namespaces.from(config.get("kubernetes"), namespace),
        value(injector, "webhook-configuration", matching(SUBDOMAIN)),
        waiter,
        gateService,
        value(injector, "gate-ca-config-map", matching(SUBDOMAIN)),
        value(
            injector,
            "gate-ca-file",
            it -> it.isEmpty() ? Optional.empty() : Optional.of(Path.of(it))),
        value(injector, "drain", InjectorSettings::duration),
        TlsSettings.from(
            config.get("tls"), namespace, value(injector, "service", matching(LABEL))));
  }

  private static <T> T value(Config config, String key, Function<String, T> parse) {
    var node = config.get(key);
    var text = node.asString().orElse("");
    try {
      return parse.apply(text);
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new IllegalArgumentException(
          "%s: '%s' is no valid value: %s".formatted(node.key(), text, e.getMessage()), e);
    }
  }

  private static UnaryOperator<String> matching(Pattern pattern) {
    return text -> {
      if (!pattern.matcher(text).matches()) {
        throw new IllegalArgumentException("it must match " + pattern);
      }
      return text;
    };
  }

  private static Function<String, Long> number(long least, long most) {
    return text -> {
      var number = Long.parseLong(text);
      if (number < least || number > most) {
        throw new IllegalArgumentException("it must be %d to %d".formatted(least, most));
      }
      return number;
    };
  }

  private static String quantity(String text) {
    try {
      if (Quantity.fromString(text).getNumber().signum() > 0) {
        return text;
      }
    } catch (QuantityFormatException e) {
      throw new IllegalArgumentException("it must be a quantity such as 10m or 128Mi", e);
    }
    throw new IllegalArgumentException("it must be more than nothing");
  }

  private static Duration duration(String text) {
    var duration = Duration.parse(text);
    if (duration.isNegative()) {
      throw new IllegalArgumentException("it must not be negative");
    }
    return duration;
  }
}
