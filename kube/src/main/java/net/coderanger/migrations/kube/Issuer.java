package net.coderanger.migrations.kube;

import module java.base;

import java.security.cert.X509Certificate;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Makes CAs and the leaves that they sign, ECDSA on P-256. */
final class Issuer {
  /** Clocks of clients may be behind by so much; for short lives a tenth of them. */
  private static final Duration CLOCK_SKEW = Duration.ofHours(1);

  private final TlsSettings settings;

  Issuer(TlsSettings settings) {
    this.settings = settings;
  }

  /** A new CA. Each has a name of its own, so that a client never tries the wrong one of two. */
  KeyedCertificate authority(Instant now) {
    var serial = serial();
    var name =
        name("%s CA %s".formatted(settings.dnsNames().getFirst(), serial.toString(16)), serial);
    var keys = keys();
    try {
      var extensions = new JcaX509ExtensionUtils();
      var builder =
          new JcaX509v3CertificateBuilder(
                  name,
                  serial,
                  Date.from(now.minus(skew(settings.caLifetime()))),
                  Date.from(now.plus(settings.caLifetime())),
                  name,
                  keys.getPublic())
              .addExtension(Extension.basicConstraints, true, new BasicConstraints(0))
              .addExtension(
                  Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign))
              .addExtension(
                  Extension.subjectKeyIdentifier,
                  false,
                  extensions.createSubjectKeyIdentifier(keys.getPublic()));
      return signed(builder, keys.getPrivate(), keys.getPrivate());
    } catch (GeneralSecurityException | CertIOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A new certificate to serve with, which does not outlive its CA. */
  KeyedCertificate leaf(KeyedCertificate authority, Instant now) {
    var keys = keys();
    var end =
        Stream.of(
                now.plus(settings.leafLifetime()),
                authority.certificate().getNotAfter().toInstant())
            .min(Comparator.naturalOrder())
            .orElseThrow();
    var serial = serial();
    var names =
        settings.dnsNames().stream()
            .map(name -> new GeneralName(GeneralName.dNSName, name))
            .toArray(GeneralName[]::new);
    try {
      var extensions = new JcaX509ExtensionUtils();
      var builder =
          new JcaX509v3CertificateBuilder(
                  X500Name.getInstance(
                      authority.certificate().getSubjectX500Principal().getEncoded()),
                  serial,
                  Date.from(now.minus(skew(settings.leafLifetime()))),
                  Date.from(end),
                  name(settings.dnsNames().getFirst(), serial),
                  keys.getPublic())
              .addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names))
              .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
              .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
              .addExtension(
                  Extension.extendedKeyUsage,
                  false,
                  new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth))
              .addExtension(
                  Extension.subjectKeyIdentifier,
                  false,
                  extensions.createSubjectKeyIdentifier(keys.getPublic()))
              .addExtension(
                  Extension.authorityKeyIdentifier,
                  false,
                  extensions.createAuthorityKeyIdentifier(authority.certificate().getPublicKey()));
      return signed(builder, keys.getPrivate(), authority.key());
    } catch (GeneralSecurityException | CertIOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Duration skew(Duration lifetime) {
    var tenth = lifetime.dividedBy(10);
    return tenth.compareTo(CLOCK_SKEW) < 0 ? tenth : CLOCK_SKEW;
  }

  private static KeyedCertificate signed(
      X509v3CertificateBuilder builder, PrivateKey key, PrivateKey authority)
      throws GeneralSecurityException {
    try {
      var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(authority);
      X509Certificate certificate =
          new JcaX509CertificateConverter().getCertificate(builder.build(signer));
      return new KeyedCertificate(List.of(certificate), key);
    } catch (OperatorCreationException e) {
      throw new GeneralSecurityException(e);
    }
  }

  /** A common name has at most 64 characters (X.520). */
  private static X500Name name(String common, BigInteger serial) {
    return new X500NameBuilder()
        .addRDN(BCStyle.CN, common.length() <= 64 ? common : serial.toString(16))
        .build();
  }

  /** 128 random bits: positive and at most 20 octets, as RFC 5280 demands. */
  private static BigInteger serial() {
    return new BigInteger(127, new SecureRandom()).setBit(127);
  }

  private static KeyPair keys() {
    try {
      var generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
