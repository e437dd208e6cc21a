package net.coderanger.migrations.waiter;

import module java.base;

import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A certificate authority that vouches for gates. */
final class Authority {
  private final KeyPair keys;
  private final X509Certificate certificate;

  Authority(String name) throws Exception {
    keys = keys();
    certificate =
        sign(
            name,
            name,
            keys.getPublic(),
            new Extension(
                Extension.basicConstraints, true, new BasicConstraints(true).getEncoded()));
  }

  String pem() throws Exception {
    return "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
        .formatted(Base64.getMimeEncoder().encodeToString(certificate.getEncoded()));
  }

  /** The TLS of a server with this host name. */
  SSLContext serving(String host) throws Exception {
    var server = keys();
    var names = new GeneralNames(new GeneralName(GeneralName.dNSName, host));
    var leaf =
        sign(
            certificate.getSubjectX500Principal().getName().substring("CN=".length()),
            host,
            server.getPublic(),
            new Extension(Extension.subjectAlternativeName, false, names.getEncoded()));
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setKeyEntry("gate", server.getPrivate(), new char[0], new Certificate[] {leaf});
    var managers = KeyManagerFactory.getInstance("PKIX");
    managers.init(store, new char[0]);
    var tls = SSLContext.getInstance("TLS");
    tls.init(managers.getKeyManagers(), null, null);
    return tls;
  }

  private X509Certificate sign(String issuer, String subject, PublicKey key, Extension extension)
      throws Exception {
    var now = Instant.now();
    var builder =
        new JcaX509v3CertificateBuilder(
            new X500Name("CN=" + issuer),
            BigInteger.valueOf(System.nanoTime()),
            Date.from(now.minusSeconds(60)),
            Date.from(now.plusSeconds(3600)),
            new X500Name("CN=" + subject),
            key);
    builder.addExtension(extension);
    return new JcaX509CertificateConverter()
        .getCertificate(
            builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
  }

  private static KeyPair keys() throws Exception {
    var generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    return generator.generateKeyPair();
  }
}
