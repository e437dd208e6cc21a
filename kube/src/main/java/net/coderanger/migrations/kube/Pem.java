package net.coderanger.migrations.kube;

import module java.base;

import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;

/** Certificates and private keys in PEM (RFC 7468). */
final class Pem {
  private static final Base64.Encoder BASE64 =
      Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII));
  private static final Pattern PKCS8 =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----");

  private Pem() {}

  static String of(X509Certificate certificate) {
    try {
      return block("CERTIFICATE", certificate.getEncoded());
    } catch (CertificateException e) {
      throw new IllegalArgumentException(e);
    }
  }

  static String of(Collection<X509Certificate> certificates) {
    return certificates.stream().map(Pem::of).collect(Collectors.joining());
  }

  /** PKCS#8. */
  static String of(PrivateKey key) {
    return block("PRIVATE KEY", key.getEncoded());
  }

  private static String block(String type, byte[] content) {
    return "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n"
        .formatted(type, BASE64.encodeToString(content));
  }

  /** At least one certificate, in the text's order. */
  static List<X509Certificate> certificates(String text) throws CertificateFault {
    try {
      var certificates = new ArrayList<X509Certificate>();
      for (Certificate certificate :
          CertificateFactory.getInstance("X.509")
              .generateCertificates(
                  new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)))) {
        certificates.add((X509Certificate) certificate);
      }
      if (certificates.isEmpty()) {
        throw new CertificateFault("it holds no certificate");
      }
      return List.copyOf(certificates);
    } catch (CertificateException _) { // its message may quote the content
      throw new CertificateFault("the certificate cannot be read");
    }
  }

  /**
   * PKCS#8, and the older forms that cert-manager and openssl write: PKCS#1 ({@code RSA PRIVATE
   * KEY}) and SEC1 ({@code EC PRIVATE KEY}).
   */
  static PrivateKey privateKey(String text) throws CertificateFault {
    try {
      // Without BouncyCastle where it is not needed: loading it takes 250 ms and 20 MiB.
      var plain = PKCS8.matcher(text);
      return key(
          plain.find() ? Base64.getMimeDecoder().decode(plain.group(1)) : older(text).getEncoded());
    } catch (IOException | IllegalArgumentException _) { // its message may quote the content
      throw new CertificateFault("the private key cannot be read");
    }
  }

  private static PrivateKeyInfo older(String text) throws IOException, CertificateFault {
    try (var parser = new PEMParser(new StringReader(text))) {
      // An "EC PARAMETERS" block may stand before the key.
      for (var part = parser.readObject(); part != null; part = parser.readObject()) {
        switch (part) {
          case PEMKeyPair pair -> {
            return pair.getPrivateKeyInfo();
          }
          case PrivateKeyInfo info -> {
            return info;
          }
          default -> {}
        }
      }
    }
    throw new CertificateFault("it holds no private key, or an encrypted one");
  }

  private static PrivateKey key(byte[] pkcs8) throws CertificateFault {
    for (var algorithm : List.of("EC", "RSA", "EdDSA")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
      } catch (GeneralSecurityException _) {
        continue; // of another algorithm
      }
    }
    throw new CertificateFault("the private key is neither EC, RSA nor EdDSA");
  }
}
