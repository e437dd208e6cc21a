package net.coderanger.migrations.kube;

/** Why a certificate or key cannot be used. The message never holds key material. */
final class CertificateFault extends Exception {
  private static final long serialVersionUID = 1;

  CertificateFault(String message) {
    super(message);
  }
}
