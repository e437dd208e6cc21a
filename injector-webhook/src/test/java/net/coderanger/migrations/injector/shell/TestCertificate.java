package net.coderanger.migrations.injector.shell;

import module java.base;

import net.coderanger.migrations.api.Scratch;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A self-signed pair for this machine, as somebody would mount it. */
final class TestCertificate {
  private TestCertificate() {}

  /** Writes tls.key, tls.crt and ca.crt into a new directory. */
  static Path directory() {
    try {
      var directory = Scratch.directory("tls");
      write(directory);
      return directory;
    } catch (IOException | GeneralSecurityException | OperatorCreationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** PEM of a certificate that nothing was made with. */
  static String pem() {
    try {
      return Files.readString(directory().resolve("ca.crt"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void write(Path directory)
      throws IOException, GeneralSecurityException, OperatorCreationException {
    var keys = KeyPairGenerator.getInstance("EC").generateKeyPair();
    var subject = new X500Name("CN=test");
    var now = Instant.now();
    var names =
        new GeneralNames(
            new GeneralName[] {
              new GeneralName(GeneralName.iPAddress, "127.0.0.1"),
              new GeneralName(GeneralName.dNSName, "localhost")
            });
    var certificate =
        new JcaX509v3CertificateBuilder(
                subject,
                BigInteger.valueOf(now.toEpochMilli()),
                Date.from(now.minusSeconds(60)),
                Date.from(now.plus(Duration.ofDays(1))),
                subject,
                keys.getPublic())
            .addExtension(Extension.basicConstraints, true, new BasicConstraints(true))
            .addExtension(Extension.subjectAlternativeName, false, names)
            .build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate()));
    write(directory.resolve("tls.key"), "PRIVATE KEY", keys.getPrivate().getEncoded());
    write(directory.resolve("tls.crt"), "CERTIFICATE", certificate.getEncoded());
    write(directory.resolve("ca.crt"), "CERTIFICATE", certificate.getEncoded());
  }

  private static void write(Path file, String type, byte[] content) throws IOException {
    var base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    Files.writeString(
        file, "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n".formatted(type, base64));
  }
}
