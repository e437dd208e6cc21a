package net.coderanger.migrations.kube;

import module java.base;

import java.security.cert.X509Certificate;

/** tls.crt, tls.key and, optionally, ca.crt of a directory that somebody else keeps current. */
final class MountedFiles implements CertificateSource {
  private final Path directory;

  MountedFiles(Path directory) {
    this.directory = directory;
  }

  @Override
  public Sighting look(Instant now) {
    try {
      var present = present();
      var leaf =
          KeyedCertificate.parse(
              Files.readString(present.resolve("tls.crt")),
              Files.readString(present.resolve("tls.key")));
      var end = leaf.certificate().getNotAfter().toInstant();
      if (!now.isBefore(end)) {
        return Sighting.nothing("%s/tls.crt has expired at %s".formatted(directory, end));
      }
      return Sighting.of(new Material(leaf, authorities(present.resolve("ca.crt"))));
    } catch (CertificateFault e) {
      return Sighting.nothing("%s: %s".formatted(directory, e.getMessage()));
    } catch (IOException e) {
      return Sighting.nothing("%s cannot be read: %s".formatted(directory, e));
    }
  }

  /**
   * The kubelet changes all files of a volume at once by turning the link ..data; through it a
   * certificate is never read with the key of another.
   */
  private Path present() throws IOException {
    var data = directory.resolve("..data");
    return Files.exists(data) ? data.toRealPath() : directory;
  }

  private static List<X509Certificate> authorities(Path file) throws IOException, CertificateFault {
    return Files.exists(file) && Files.size(file) > 0
        ? Pem.certificates(Files.readString(file))
        : List.of();
  }
}
