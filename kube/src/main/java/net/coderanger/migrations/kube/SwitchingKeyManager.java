package net.coderanger.migrations.kube;

import module java.base;

import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;

/**
 * Serves one certificate at a time, and another when told. Not Helidon's reloadTls: that swaps the
 * manager behind one alias, so that a handshake in between may get the chain of one certificate and
 * the key of another, and fails. Here each certificate has an alias of its own, and the one before
 * stays for handshakes that have chosen it.
 */
final class SwitchingKeyManager extends X509ExtendedKeyManager {
  private record Served(String alias, KeyedCertificate keyed) {}

  private volatile List<Served> served = List.of();
  private long count;

  synchronized void serve(KeyedCertificate keyed) {
    var latest = new Served("certificate-" + count++, keyed);
    served = served.isEmpty() ? List.of(latest) : List.of(latest, served.getFirst());
  }

  Optional<KeyedCertificate> present() {
    return served.stream().findFirst().map(Served::keyed);
  }

  @Override
  public String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
    return choose(keyType);
  }

  @Override
  public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
    return choose(keyType);
  }

  private String choose(String keyType) {
    return served.stream()
        .findFirst()
        .filter(it -> it.keyed().certificate().getPublicKey().getAlgorithm().equals(keyType))
        .map(Served::alias)
        .orElse(null);
  }

  @Override
  public String[] getServerAliases(String keyType, Principal[] issuers) {
    return Stream.ofNullable(choose(keyType)).toArray(String[]::new);
  }

  @Override
  public X509Certificate[] getCertificateChain(String alias) {
    return by(alias).map(it -> it.chain().toArray(X509Certificate[]::new)).orElse(null);
  }

  @Override
  public PrivateKey getPrivateKey(String alias) {
    return by(alias).map(KeyedCertificate::key).orElse(null);
  }

  private Optional<KeyedCertificate> by(String alias) {
    return served.stream().filter(it -> it.alias().equals(alias)).findFirst().map(Served::keyed);
  }

  @Override
  public String[] getClientAliases(String keyType, Principal[] issuers) {
    return new String[0];
  }

  @Override
  public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
    return null;
  }
}
