package net.coderanger.migrations.kube;

import module java.base;

import io.helidon.common.tls.Tls;
import io.helidon.webserver.WebServer;
import io.kubernetes.client.openapi.ApiClient;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import net.coderanger.migrations.kube.CertificateSource.Material;
import net.coderanger.migrations.kube.CertificateSource.Sighting;

/**
 * A service's serving certificate, kept current while it serves. Whatever goes wrong with a new
 * one, the last good one stays, and {@link #fault} says why.
 */
public final class ServingTls implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(ServingTls.class.getName());

  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);

  private final TlsSettings settings;
  private final CertificateSource source;
  private final Clock clock;
  private final SwitchingKeyManager keys = new SwitchingKeyManager();
  private final Tls tls;

  /** Guards what follows and keeps the order of the listeners' calls. */
  private final ReentrantLock lock = new ReentrantLock();

  private final List<Consumer<String>> listeners = new ArrayList<>();
  private List<X509Certificate> authorities = List.of();
  private Optional<String> fault = Optional.empty();
  private Optional<Thread> keeper = Optional.empty();
  private boolean closed;

  private ServingTls(TlsSettings settings, CertificateSource source, Clock clock) {
    this.settings = settings;
    this.source = source;
    this.clock = clock;
    this.tls = tls(keys);
  }

  /**
   * Waits until there is a certificate to serve with, which self-managed it makes itself.
   *
   * @param client needs get, create and update of the one Secret; not used for files
   * @throws InterruptedException when interrupted while waiting
   */
  public static ServingTls start(TlsSettings settings, ApiClient client)
      throws InterruptedException {
    return start(settings, client, Clock.systemUTC());
  }

  /** As {@link #start(TlsSettings, ApiClient)}, in another time. */
  static ServingTls start(TlsSettings settings, ApiClient client, Clock clock)
      throws InterruptedException {
    var source =
        switch (settings.mode()) {
          case SELF_MANAGED -> new SharedSecret(settings, client);
          case FILES -> new MountedFiles(settings.directory());
        };
    settings.warning().ifPresent(it -> LOG.log(System.Logger.Level.WARNING, it));
    var serving = new ServingTls(settings, source, clock);
    var pause = FIRST_PAUSE;
    serving.look();
    while (serving.keys.present().isEmpty()) {
      Thread.sleep(pause);
      pause = Collections.min(List.of(pause.multipliedBy(2), settings.poll()));
      serving.look();
    }
    return serving;
  }

  /** For the server; new handshakes get the certificate of the moment. */
  public Tls tls() {
    return tls;
  }

  /**
   * Begins to keep the certificate current; ends when the server does, or with {@link #close}.
   * Connections are not dropped.
   *
   * @param server that has been started with {@link #tls}
   */
  public void reload(WebServer server) {
    lock.lock();
    try {
      if (closed || keeper.isPresent()) {
        return;
      }
      keeper = Optional.of(Thread.ofVirtual().name("serving-tls").start(() -> keep(server)));
    } finally {
      lock.unlock();
    }
  }

  private void keep(WebServer server) {
    try {
      while (server.isRunning()) {
        look(); // at once: the start may have taken a short leaf's last third
        Thread.sleep(settings.pause(keys.present().orElseThrow().life()));
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** PEM of the CAs that clients must trust; empty for files without ca.crt. */
  public String caBundle() {
    lock.lock();
    try {
      return Pem.of(authorities);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Tells the CAs at once and whenever they change, a new one before anything of it is served where
   * that is possible.
   *
   * @param listener gets what {@link #caBundle} returns; called by the thread that polls, so it
   *     must not take long; what it throws is logged, and the call is not repeated
   */
  public void onCaChange(Consumer<String> listener) {
    lock.lock();
    try {
      listeners.add(listener);
      tell(listener, Pem.of(authorities));
    } finally {
      lock.unlock();
    }
  }

  /** What is wrong with the certificate at present, for an alarm; empty when all is well. */
  public Optional<String> fault() {
    lock.lock();
    try {
      return fault;
    } finally {
      lock.unlock();
    }
  }

  /** When the certificate that is served ends to be valid, for a metric. */
  public Instant notAfter() {
    return keys.present().orElseThrow().certificate().getNotAfter().toInstant();
  }

  /** Ends the keeping; what is served stays. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      keeper.ifPresent(Thread::interrupt);
    } finally {
      lock.unlock();
    }
  }

  /** One look at the source, and what follows from it. */
  private void look() throws InterruptedException {
    var now = clock.instant();
    var seen = sighting(now);
    lock.lock();
    try {
      seen.material().ifPresent(material -> adopt(material, now));
      report(seen.fault().or(() -> expiry(now)));
    } finally {
      lock.unlock();
    }
  }

  private Sighting sighting(Instant now) throws InterruptedException {
    try {
      return source.look(now);
    } catch (RuntimeException e) { // nothing may end the keeping
      return Sighting.nothing(e.toString());
    }
  }

  private void adopt(Material material, Instant now) {
    var trusted = authorities;
    if (!material.authorities().equals(authorities)) {
      authorities = List.copyOf(material.authorities());
      var bundle = Pem.of(authorities);
      listeners.forEach(listener -> tell(listener, bundle));
    }
    var present = keys.present();
    if (present.equals(Optional.of(material.leaf()))) {
      return;
    }
    // A CA that appeared without announcement: first its publication, at the next poll its leaf.
    var issued = issued(material.leaf());
    var unannounced = authorities.stream().anyMatch(issued) && trusted.stream().noneMatch(issued);
    if (unannounced && present.filter(it -> now.isBefore(end(it))).isPresent()) {
      return;
    }
    keys.serve(material.leaf());
    LOG.log(System.Logger.Level.INFO, "Serving a certificate valid until " + end(material.leaf()));
  }

  private static Predicate<X509Certificate> issued(KeyedCertificate leaf) {
    var issuer = leaf.chain().getLast().getIssuerX500Principal();
    return authority -> authority.getSubjectX500Principal().equals(issuer);
  }

  private Optional<String> expiry(Instant now) {
    return keys.present()
        .map(ServingTls::end)
        .filter(end -> !now.isBefore(end))
        .map(end -> "the certificate that is served has expired at " + end);
  }

  private static Instant end(KeyedCertificate keyed) {
    return keyed.certificate().getNotAfter().toInstant();
  }

  /** Each fault once, and its end. */
  private void report(Optional<String> present) {
    if (present.equals(fault)) {
      return;
    }
    present.ifPresentOrElse(
        it ->
            LOG.log(
                System.Logger.Level.WARNING,
                "Serving certificate: %s%s"
                    .formatted(it, keys.present().isPresent() ? "; the last good one stays" : "")),
        () -> LOG.log(System.Logger.Level.INFO, "Serving certificate: all is well again"));
    fault = present;
  }

  private static void tell(Consumer<String> listener, String bundle) {
    try {
      listener.accept(bundle);
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "CAs not passed on", e);
    }
  }

  private static Tls tls(KeyManager keys) {
    try {
      var context = SSLContext.getInstance("TLS");
      // No client certificates are asked for; null would load the JDK's CAs.
      context.init(new KeyManager[] {keys}, new TrustManager[0], null);
      return Tls.builder()
          .sslContext(context)
          .addEnabledProtocols(List.of("TLSv1.3", "TLSv1.2"))
          .build();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
