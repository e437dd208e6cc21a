package net.coderanger.migrations.injector.shell;

import module java.base;

import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;

/** The CAs of the gate, that waiters must trust: the last good ones that were offered. */
final class GateCa {
  private static final System.Logger LOG = System.getLogger(GateCa.class.getName());

  /** What was offered, and whether it is of use. */
  private String offered = "";

  private volatile Optional<String> good = Optional.empty();

  /** PEM; empty until there is one. */
  Optional<String> pem() {
    return good;
  }

  /** Takes a bundle in PEM when it is one; each other is reported once. */
  synchronized void offer(String pem) {
    if (pem.equals(offered)) {
      return;
    }
    offered = pem;
    try {
      var count =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(
                  new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)))
              .size();
      if (count == 0) {
        throw new CertificateException("it holds no certificate");
      }
      good = Optional.of(pem);
      LOG.log(System.Logger.Level.INFO, "The gate's CAs: %d certificates".formatted(count));
    } catch (CertificateException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          "The gate's CAs are not usable%s: %s"
              .formatted(good.isPresent() ? ", the last good ones stay" : "", e.getMessage()));
    }
  }

  /** Reads the file at once and then again and again, since mounted files change in place. */
  void follow(Path file, Duration poll) {
    Thread.ofVirtual()
        .name("gate-ca-file")
        .start(
            () -> {
              try {
                while (true) {
                  read(file);
                  Thread.sleep(poll);
                }
              } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
              }
            });
  }

  private void read(Path file) {
    try {
      offer(Files.readString(file));
    } catch (IOException e) {
      // Before the first: somebody else is about to mount it, and readiness tells.
      LOG.log(System.Logger.Level.DEBUG, "The gate's CAs: " + e);
    }
  }
}
