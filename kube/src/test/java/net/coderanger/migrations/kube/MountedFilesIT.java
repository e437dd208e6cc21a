package net.coderanger.migrations.kube;

import static net.coderanger.migrations.kube.TlsClient.request;
import static net.coderanger.migrations.kube.TlsClient.serve;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import io.helidon.webserver.WebServer;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Certificates that somebody else puts into a directory, under a real server. */
class MountedFilesIT {
  private static final String NAME = "hook.ns.svc";

  @TempDir private Path directory;
  private TlsSettings settings;
  private Issuer issuer;
  private KeyedCertificate authority;
  private String bundle;
  private ServingTls serving;
  private WebServer server;

  @BeforeEach
  void start() throws Exception {
    settings =
        new TlsSettings(
            TlsSettings.Mode.FILES,
            directory,
            "ns",
            "unused",
            List.of("hook", NAME),
            Duration.ofMillis(20),
            Duration.ofDays(7),
            Duration.ofDays(3650));
    issuer = new Issuer(settings);
    authority = issuer.authority(Instant.now());
    bundle = Pem.of(authority.certificate());
    mount(leaf(), false);
    serving = ServingTls.start(settings, null);
    server = serve(serving);
    serving.reload(server);
  }

  @AfterEach
  void stop() {
    serving.close();
    server.stop();
  }

  @Test
  void withoutACaFileNobodyNeedsToBeTold() {
    assertEquals("", serving.caBundle());
  }

  @Test
  void aCaFileIsPassedOn() throws Exception {
    var told = new CopyOnWriteArrayList<String>();
    serving.onCaChange(told::add);
    Files.writeString(directory.resolve("ca.crt"), bundle);
    await().until(() -> told.equals(List.of("", bundle)));
    assertEquals(bundle, serving.caBundle());
  }

  @Test
  void theOldFormOfAnEcKeyIsServed() throws Exception {
    var leaf = leaf();
    mount(leaf, true);
    assertTrue(Files.readString(directory.resolve("tls.key")).contains("EC PRIVATE KEY"));
    await().until(() -> request(server.port(), NAME, bundle).equals(leaf.certificate()));
  }

  @Test
  void badFilesLeaveTheLastGoodCertificate() throws Exception {
    var good = request(server.port(), NAME, bundle);
    var leaf = leaf();
    var expired = issuer.leaf(authority, Instant.now().minus(Duration.ofDays(8)));
    var bad =
        Map.of(
            "does not belong",
            List.of(Pem.of(leaf.chain()), Pem.of(authority.key())),
            "certificate cannot be read",
            List.of("-----BEGIN CERTIFICATE-----", Pem.of(leaf.key())),
            "no certificate",
            List.of("", Pem.of(leaf.key())),
            "no private key",
            List.of(Pem.of(leaf.chain()), ""),
            "expired",
            List.of(Pem.of(expired.chain()), Pem.of(expired.key())));
    for (var files : bad.entrySet()) {
      write(files.getValue().getFirst(), files.getValue().getLast());
      await().until(() -> serving.fault().filter(it -> it.contains(files.getKey())).isPresent());
      assertEquals(good, request(server.port(), NAME, bundle));
    }
    Files.delete(directory.resolve("tls.key"));
    await().until(() -> serving.fault().filter(it -> it.contains("cannot be read")).isPresent());
    mount(leaf, false);
    await().until(() -> serving.fault().isEmpty());
    assertEquals(leaf.certificate(), request(server.port(), NAME, bundle));
  }

  @Test
  void aServerWaitsForItsFirstCertificate() throws Exception {
    Files.delete(directory.resolve("tls.crt"));
    var start = CompletableFuture.supplyAsync(this::startAnother);
    Thread.sleep(500);
    assertFalse(start.isDone());
    mount(leaf(), false);
    start.get(10, TimeUnit.SECONDS).close();
  }

  private ServingTls startAnother() {
    try {
      return ServingTls.start(settings, null);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void anotherNameIsNotServed() {
    assertThrows(SSLHandshakeException.class, () -> request(server.port(), "other.ns", bundle));
  }

  /** As the kubelet does it: a new directory, then the link ..data turned to it. */
  @Test
  void connectionsNoticeNoReload() throws Exception {
    Files.delete(directory.resolve("tls.crt"));
    Files.delete(directory.resolve("tls.key"));
    turn(leaf(), 0);
    Files.createSymbolicLink(directory.resolve("tls.crt"), Path.of("..data/tls.crt"));
    Files.createSymbolicLink(directory.resolve("tls.key"), Path.of("..data/tls.key"));
    var failures = new ConcurrentLinkedQueue<Exception>();
    var seen = ConcurrentHashMap.<X509Certificate>newKeySet();
    var requests = new AtomicInteger();
    var enough = new AtomicBoolean();
    var patience = Instant.now().plusSeconds(120);
    try (var pool = Executors.newVirtualThreadPerTaskExecutor();
        var open = TlsClient.connect(server.port(), NAME, bundle)) {
      for (var i = 0; i < 8; i++) {
        pool.submit(
            () -> {
              while (!enough.get()) {
                try {
                  seen.add(request(server.port(), NAME, bundle));
                  requests.incrementAndGet();
                } catch (Exception e) {
                  failures.add(e);
                }
              }
            });
      }
      for (var turn = 1; !enough.get(); turn++) {
        turn(leaf(), turn);
        TlsClient.request(open);
        Thread.sleep(40);
        enough.set(seen.size() > 30 && requests.get() > 500 || Instant.now().isAfter(patience));
      }
    }
    assertEquals(List.of(), List.copyOf(failures));
    assertEquals(Optional.empty(), serving.fault());
    assertTrue(seen.size() > 30, () -> seen.size() + " certificates");
    assertTrue(requests.get() > 500, () -> requests + " requests");
  }

  private void turn(KeyedCertificate leaf, int number) throws IOException {
    var target = Files.createDirectory(directory.resolve("..turn-" + number));
    Files.writeString(target.resolve("tls.crt"), Pem.of(leaf.chain()));
    Files.writeString(target.resolve("tls.key"), Pem.of(leaf.key()));
    var link = directory.resolve("..data_tmp");
    Files.createSymbolicLink(link, target.getFileName());
    Files.move(link, directory.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
  }

  private KeyedCertificate leaf() {
    return issuer.leaf(authority, Instant.now());
  }

  private void mount(KeyedCertificate leaf, boolean sec1) throws IOException {
    write(Pem.of(leaf.chain()), sec1 ? OlderKeys.pem(leaf.key()) : Pem.of(leaf.key()));
  }

  private void write(String certificate, String key) throws IOException {
    Files.writeString(directory.resolve("tls.crt"), certificate);
    Files.writeString(directory.resolve("tls.key"), key);
  }
}
