package net.coderanger.migrations.kube;

import module java.base;

import io.helidon.config.Config;

/**
 * Where a service's serving certificate comes from.
 *
 * @param mode who makes the certificate
 * @param directory of tls.crt, tls.key and, optionally, ca.crt; read in {@link Mode#FILES} only
 * @param namespace of the Secret
 * @param secret name of the Secret; used in {@link Mode#SELF_MANAGED} only
 * @param dnsNames of the service, the shortest first; the certificate carries them all
 * @param poll between two looks at the Secret or the files; a leaf that lives too short for it is
 *     looked at more often
 * @param leafLifetime of the certificate that is served; renewed after two thirds
 * @param caLifetime of the CA; its successor is published after two thirds, signs after five sixths
 */
public record TlsSettings(
    Mode mode,
    Path directory,
    String namespace,
    String secret,
    List<String> dnsNames,
    Duration poll,
    Duration leafLifetime,
    Duration caLifetime) {
  /** Who makes the certificate. */
  public enum Mode {
    /** The service itself, kept in a Secret that its replicas share. */
    SELF_MANAGED("self-managed"),
    /** Somebody else (cert-manager, OLM), mounted as files. */
    FILES("files");

    private final String key;

    Mode(String key) {
      this.key = key;
    }

    private static Mode of(String key) {
      return Stream.of(values())
          .filter(mode -> mode.key.equals(key))
          .findFirst()
          .orElseThrow(
              () ->
                  new IllegalArgumentException("'" + key + "' is neither self-managed nor files"));
    }
  }

  /** So many polls must fit into the last third of a leaf's life, where it is renewed. */
  private static final int POLLS_TO_RENEW = 2;

  /** So many polls must fit into a leaf's life. */
  private static final int POLLS_IN_A_LIFE = 3 * POLLS_TO_RENEW;

  /** A CA's successor is published for this part of a CA's life before it signs. */
  private static final int ANNOUNCEMENT = 6;

  private static final Duration LONG_WAIT = Duration.ofDays(1);

  /**
   * @throws IllegalArgumentException naming the key of a value that cannot work
   */
  public TlsSettings {
    dnsNames = List.copyOf(dnsNames);
    demand(!namespace.isBlank(), "the namespace of the service is not known");
    demand(!secret.isBlank(), "tls.secret is empty");
    demand(!dnsNames.isEmpty(), "the service has no name");
    demand(poll.isPositive(), "tls.poll must be positive");
    demand(
        leafLifetime.compareTo(poll.multipliedBy(POLLS_IN_A_LIFE)) >= 0,
        "tls.leaf-lifetime must be at least %d times tls.poll".formatted(POLLS_IN_A_LIFE));
    demand(caLifetime.compareTo(leafLifetime) > 0, "tls.ca-lifetime must exceed tls.leaf-lifetime");
    demand(
        caLifetime.compareTo(poll.multipliedBy(ANNOUNCEMENT * POLLS_TO_RENEW)) >= 0,
        "tls.ca-lifetime must be at least %d times tls.poll, so that a new CA is known before it signs"
            .formatted(ANNOUNCEMENT * POLLS_TO_RENEW));
  }

  /**
   * Until the next look: a poll, or less for a leaf that was made with other settings and would
   * expire between two polls.
   *
   * @param leafLife of the certificate that is served
   */
  Duration pause(Duration leafLife) {
    return Collections.min(List.of(poll, leafLife.dividedBy(POLLS_IN_A_LIFE)));
  }

  /** What works, but is hardly meant outside of a test; empty when nothing is odd. */
  Optional<String> warning() {
    var announced = caLifetime.dividedBy(ANNOUNCEMENT);
    return mode == Mode.SELF_MANAGED && announced.compareTo(LONG_WAIT) < 0
        ? Optional.of(
            "tls.ca-lifetime is %s: a pod that waits longer than %s may not know the CA any more and"
                    .formatted(caLifetime, announced)
                + " has to be deleted then; P3650D is the default")
        : Optional.empty();
  }

  /**
   * From the keys mode (self-managed), directory (where OLM mounts certificates), secret
   * (&lt;service&gt;-tls), poll (PT10S), leaf-lifetime (P7D), ca-lifetime (P3650D).
   *
   * @param tls the node of these keys, commonly named tls
   * @param namespace that the service and its Secret live in
   * @param service name of the Kubernetes Service in front of the server
   * @throws IllegalArgumentException naming the key of a bad value
   */
  public static TlsSettings from(Config tls, String namespace, String service) {
    var name = service + "." + namespace;
    return new TlsSettings(
        value(tls, "mode", "self-managed", Mode::of),
        // https://olm.operatorframework.io/docs/advanced-tasks/adding-admission-and-conversion-webhooks/
        value(tls, "directory", "/tmp/k8s-webhook-server/serving-certs", Path::of),
        namespace,
        value(tls, "secret", service + "-tls", Function.identity()),
        List.of(service, name, name + ".svc", name + ".svc.cluster.local"),
        value(tls, "poll", "PT10S", Duration::parse),
        value(tls, "leaf-lifetime", "P7D", Duration::parse),
        value(tls, "ca-lifetime", "P3650D", Duration::parse));
  }

  private static <T> T value(Config tls, String key, String other, Function<String, T> parse) {
    var node = tls.get(key);
    var text = node.asString().orElse(other);
    try {
      return parse.apply(text);
    } catch (DateTimeException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "%s: %s is no valid value (%s)".formatted(node.key(), text, e.getMessage()), e);
    }
  }

  private static void demand(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }
}
