package net.coderanger.migrations.waiter;

import module java.base;

import io.helidon.config.Config;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;

/** See application.yaml for the meaning of each. */
record Settings(
    String migrator,
    String podUid,
    URI gate,
    List<X509Certificate> authorities,
    Optional<InetAddress> address,
    Duration connectTimeout,
    Path token,
    Path marker,
    Pace pace) {

  /** A setting without which there is nothing to wait for; the message names its variable. */
  static final class Invalid extends Exception {
    private static final long serialVersionUID = 1;

    private Invalid(String key, String problem) {
      super("%s %s".formatted(variable(key), problem));
    }
  }

  /** RFC 1123; so it is also safe as a file's name and in a path. */
  private static final Pattern DNS_SUBDOMAIN =
      Pattern.compile(
          "(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");

  static Settings of(Config config) throws Invalid {
    var migrator = mandatory(config, "waiter.migrator");
    if (!DNS_SUBDOMAIN.matcher(migrator).matches()) {
      throw new Invalid("waiter.migrator", "is not the name of a Migrator: " + migrator);
    }
    return new Settings(
        migrator,
        mandatory(config, "waiter.pod-uid"),
        gate(config),
        authorities(config),
        address(config),
        duration(config, "waiter.gate.connect-timeout"),
        Path.of(mandatory(config, "waiter.token-directory"), "token"),
        Path.of(mandatory(config, "waiter.marker-directory"), migrator),
        new Pace(
            duration(config, "waiter.back-off.initial"),
            duration(config, "waiter.back-off.max"),
            duration(config, "waiter.back-off.retry-after-max"),
            duration(config, "waiter.gate.silence"),
            duration(config, "waiter.reminder")));
  }

  /** Read first and by itself: it is where the message about the others goes. */
  static Path terminationLog(Config config) {
    return Path.of(text(config, "waiter.termination-log"));
  }

  private static URI gate(Config config) throws Invalid {
    var key = "waiter.gate.url";
    var text = mandatory(config, key);
    try {
      var uri = new URI(text);
      if (!"https".equals(uri.getScheme()) || uri.getHost() == null || uri.getUserInfo() != null) {
        throw new Invalid(key, "is not an https URL: " + text);
      }
      return uri;
    } catch (URISyntaxException _) {
      throw new Invalid(key, "is not an https URL: " + text);
    }
  }

  private static List<X509Certificate> authorities(Config config) throws Invalid {
    var key = "waiter.gate.ca";
    var pem = mandatory(config, key);
    try {
      var certificates =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(
                  new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)));
      if (certificates.isEmpty()) {
        throw new Invalid(key, "holds no certificate");
      }
      return certificates.stream().map(X509Certificate.class::cast).toList();
    } catch (CertificateException e) {
      throw new Invalid(key, "holds no PEM certificates: " + e.getMessage());
    }
  }

  private static Optional<InetAddress> address(Config config) throws Invalid {
    var key = "waiter.gate.address";
    var text = text(config, key);
    try {
      return text.isEmpty() ? Optional.empty() : Optional.of(InetAddress.ofLiteral(text));
    } catch (IllegalArgumentException _) {
      throw new Invalid(key, "is not an IP address: " + text);
    }
  }

  private static Duration duration(Config config, String key) throws Invalid {
    var text = mandatory(config, key);
    try {
      var duration = Duration.parse(text);
      if (!duration.isPositive()) {
        throw new Invalid(key, "is not a positive duration: " + text);
      }
      return duration;
    } catch (DateTimeParseException _) {
      throw new Invalid(key, "is not a duration such as PT0.2S: " + text);
    }
  }

  private static String mandatory(Config config, String key) throws Invalid {
    var text = text(config, key);
    if (text.isEmpty()) {
      throw new Invalid(key, "is missing");
    }
    return text;
  }

  private static String text(Config config, String key) {
    return config.get(key).asString().orElse("").strip();
  }

  private static String variable(String key) {
    return key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }
}
