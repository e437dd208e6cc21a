package net.coderanger.migrations.kube;

import module java.base;

import java.security.cert.X509Certificate;

/** Where the certificate is looked up, again and again. */
interface CertificateSource {
  /**
   * What was seen.
   *
   * @param material to serve with; absent: what was served before stays
   * @param fault what is wrong, for the log and an alarm; may stand beside usable material
   */
  record Sighting(Optional<Material> material, Optional<String> fault) {
    static Sighting of(Material material) {
      return new Sighting(Optional.of(material), Optional.empty());
    }

    static Sighting nothing(String fault) {
      return new Sighting(Optional.empty(), Optional.of(fault));
    }
  }

  /**
   * What to serve with.
   *
   * @param authorities that clients must trust; empty when they know without us
   */
  record Material(KeyedCertificate leaf, List<X509Certificate> authorities) {}

  Sighting look(Instant now) throws InterruptedException;
}
