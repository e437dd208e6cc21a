package net.coderanger.migrations.kube;

import module java.base;

import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.apis.CoreV1Api;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import io.kubernetes.client.openapi.models.V1Secret;

/**
 * The Secret that all replicas of a service serve from and keep current. Whoever sees first that
 * something is due writes it; the others' writes fail by resourceVersion and they read again.
 */
final class SharedSecret implements CertificateSource {
  private static final System.Logger LOG = System.getLogger(SharedSecret.class.getName());

  private static final int NOT_FOUND = 404;
  private static final int CONFLICT = 409;

  /** Lost races in a row before the next poll's turn. */
  private static final int RACES = 5;

  private final TlsSettings settings;
  private final CoreV1Api api;
  private final Issuer issuer;
  private Optional<StoredCertificates> remembered = Optional.empty();

  SharedSecret(TlsSettings settings, ApiClient client) {
    this.settings = settings;
    this.api = new CoreV1Api(client);
    this.issuer = new Issuer(settings);
  }

  @Override
  public Sighting look(Instant now) {
    for (var race = 0; race < RACES; race++) {
      Optional<V1Secret> secret;
      try {
        secret = read();
      } catch (ApiException e) {
        return Sighting.nothing("%s cannot be read: %s".formatted(name(), message(e)));
      }
      var input =
          new CertificatePolicy.Input(
              secret
                  .map(V1Secret::getData)
                  .map(StoredCertificates::parse)
                  .orElse(StoredCertificates.NONE),
              secret.isPresent(),
              remembered,
              settings.dnsNames(),
              now);
      var plan = CertificatePolicy.decide(input);
      if (plan.isNothing()) {
        return seen(input, Optional.empty());
      }
      var changed = CertificatePolicy.carriedOut(plan, input, issuer);
      try {
        write(secret, changed);
      } catch (ApiException e) {
        if (e.getCode() == CONFLICT || e.getCode() == NOT_FOUND) {
          continue;
        }
        return seen(
            input,
            Optional.of(
                "%s cannot be written: %s (%s)"
                    .formatted(name(), message(e), String.join(", ", reasons(plan)))));
      }
      LOG.log(
          plan.repairs().isEmpty() ? System.Logger.Level.INFO : System.Logger.Level.WARNING,
          "%s: %s: %s"
              .formatted(
                  name(),
                  input.exists() ? (plan.repairs().isEmpty() ? "renewed" : "repaired") : "created",
                  String.join(", ", reasons(plan))));
      return seen(
          new CertificatePolicy.Input(changed, true, remembered, settings.dnsNames(), now),
          Optional.empty());
    }
    return new Sighting(Optional.empty(), Optional.of(name() + " changes all the time"));
  }

  private static List<String> reasons(CertificatePolicy.Plan plan) {
    return Stream.concat(plan.repairs().stream(), plan.renewals().stream()).toList();
  }

  private Sighting seen(CertificatePolicy.Input input, Optional<String> fault) {
    var stored = input.stored();
    var hindrance = CertificatePolicy.cannotServe(input);
    if (hindrance.isPresent()) {
      return new Sighting(
          Optional.empty(), fault.or(() -> Optional.of(name() + ": " + hindrance.get())));
    }
    remembered = Optional.of(stored);
    return new Sighting(
        Optional.of(new Material(stored.leaf().orElseThrow(), stored.authorities(input.now()))),
        fault);
  }

  private Optional<V1Secret> read() throws ApiException {
    try {
      return Optional.of(
          api.readNamespacedSecret(settings.secret(), settings.namespace()).execute());
    } catch (ApiException e) {
      if (e.getCode() == NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private void write(Optional<V1Secret> present, StoredCertificates content) throws ApiException {
    if (present.isEmpty()) {
      api.createNamespacedSecret(
              settings.namespace(),
              new V1Secret()
                  .apiVersion("v1")
                  .kind("Secret")
                  .metadata(
                      new V1ObjectMeta().name(settings.secret()).namespace(settings.namespace()))
                  .type("kubernetes.io/tls")
                  .data(content.data()))
          .execute();
      return;
    }
    var secret = present.get();
    var data = new HashMap<String, byte[]>();
    if (secret.getData() != null) {
      data.putAll(secret.getData());
    }
    data.keySet().removeAll(StoredCertificates.KEYS);
    data.putAll(content.data());
    // With the resourceVersion that was read: a replica that wrote meanwhile has won.
    api.replaceNamespacedSecret(
            settings.secret(), settings.namespace(), secret.data(data).stringData(null))
        .execute();
  }

  private String name() {
    return "Secret %s/%s".formatted(settings.namespace(), settings.secret());
  }

  /** How it cannot be reached differs from call to call; the log has it once, for all calls. */
  private static String message(ApiException e) {
    return ApiErrors.isOutage(e) ? "the API server cannot be reached" : ApiErrors.message(e);
  }
}
