package net.coderanger.migrations.kube;

import module java.base;

import java.security.Signature;
import java.security.cert.X509Certificate;

/**
 * A certificate with its private key.
 *
 * @param chain the certificate, then those that lead to its CA; never empty
 * @param key that the first of the chain belongs to
 */
record KeyedCertificate(List<X509Certificate> chain, PrivateKey key) {
  KeyedCertificate {
    chain = List.copyOf(chain);
  }

  /**
   * @throws CertificateFault when one cannot be read or does not belong to the other
   */
  static KeyedCertificate parse(String chain, String key) throws CertificateFault {
    var keyed = new KeyedCertificate(Pem.certificates(chain), Pem.privateKey(key));
    if (!keyed.belongsTogether()) {
      throw new CertificateFault("the private key does not belong to the certificate");
    }
    return keyed;
  }

  X509Certificate certificate() {
    return chain.getFirst();
  }

  /** From the first moment of the certificate's validity to the last. */
  Duration life() {
    return Duration.between(
        certificate().getNotBefore().toInstant(), certificate().getNotAfter().toInstant());
  }

  private boolean belongsTogether() {
    var algorithm =
        switch (key.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> key.getAlgorithm();
        };
    try {
      var signature = Signature.getInstance(algorithm);
      var sample = "sample".getBytes(StandardCharsets.US_ASCII);
      signature.initSign(key);
      signature.update(sample);
      var signed = signature.sign();
      signature.initVerify(certificate().getPublicKey());
      signature.update(sample);
      return signature.verify(signed);
    } catch (GeneralSecurityException _) {
      return false; // another algorithm, or a signature of another length
    }
  }

  /** Without the key. */
  @Override
  public String toString() {
    return certificate().getSubjectX500Principal().getName();
  }
}
