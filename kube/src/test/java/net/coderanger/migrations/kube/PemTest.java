package net.coderanger.migrations.kube;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PemTest {
  @ParameterizedTest
  @ValueSource(strings = {"EC", "RSA", "Ed25519"})
  void aPkcs8KeyIsRead(String algorithm) throws Exception {
    var key = KeyPairGenerator.getInstance(algorithm).generateKeyPair().getPrivate();
    assertArrayEquals(key.getEncoded(), Pem.privateKey(Pem.of(key)).getEncoded());
  }

  @ParameterizedTest
  @ValueSource(strings = {"EC", "RSA"})
  void anOlderKeyIsRead(String algorithm) throws Exception {
    var key = OlderKeys.create(algorithm);
    var text = OlderKeys.pem(key);
    assertTrue(text.startsWith("-----BEGIN " + algorithm + " PRIVATE KEY"), text);
    assertEquals(OlderKeys.secret(key), OlderKeys.secret(Pem.privateKey(text)));
  }

  /** As {@code openssl ecparam -name prime256v1 -genkey} writes it. */
  @Test
  void parametersMayStandBeforeAnEcKey() throws Exception {
    var key = OlderKeys.create("EC");
    var parameters =
        """
        -----BEGIN EC PARAMETERS-----
        BggqhkjOPQMBBw==
        -----END EC PARAMETERS-----
        """;
    assertEquals(
        OlderKeys.secret(key), OlderKeys.secret(Pem.privateKey(parameters + OlderKeys.pem(key))));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "garbage",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
      })
  void whatIsNeitherKeyNorCertificateIsAFault(String text) {
    assertThrows(CertificateFault.class, () -> Pem.privateKey(text));
    assertThrows(CertificateFault.class, () -> Pem.certificates(text));
  }
}
