package net.coderanger.migrations.kube;

import module java.base;

import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.RSAPrivateKey;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.util.io.pem.PemObject;

/** Private keys in the forms before PKCS#8: PKCS#1 and SEC1. */
final class OlderKeys {
  private OlderKeys() {}

  static PrivateKey create(String algorithm) throws GeneralSecurityException {
    var generator = KeyPairGenerator.getInstance(algorithm);
    if (algorithm.equals("EC")) {
      generator.initialize(new ECGenParameterSpec("secp256r1"));
    }
    return generator.generateKeyPair().getPrivate();
  }

  static String pem(PrivateKey key) throws IOException {
    var text = new StringWriter();
    try (var writer = new JcaPEMWriter(text)) {
      writer.writeObject(new PemObject(key.getAlgorithm() + " PRIVATE KEY", content(key)));
    }
    return text.toString();
  }

  /** The number that is the key; the forms differ in what they say beside it. */
  static BigInteger secret(PrivateKey key) {
    return switch (key) {
      case ECPrivateKey ec -> ec.getS();
      case RSAPrivateKey rsa -> rsa.getPrivateExponent();
      default -> throw new IllegalArgumentException(key.getAlgorithm());
    };
  }

  private static byte[] content(PrivateKey key) throws IOException {
    if (key instanceof ECPrivateKey ec) {
      // With the curve, as openssl and Go write it and BouncyCastle's own writer does not.
      return new org.bouncycastle.asn1.sec.ECPrivateKey(
              256, ec.getS(), SECObjectIdentifiers.secp256r1)
          .getEncoded();
    }
    return PrivateKeyInfo.getInstance(key.getEncoded())
        .parsePrivateKey()
        .toASN1Primitive()
        .getEncoded();
  }
}
