package net.coderanger.migrations.controller;

import module java.base;

import com.google.gson.JsonParser;
import java.security.Signature;
import net.coderanger.migrations.api.KubeApi;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/** A token of the test's API server with other times, signed with that server's key. */
final class SignedAnew {
  private SignedAnew() {}

  /**
   * @param from seconds since 1970 from which it is valid
   * @param until seconds since 1970 when it expires
   */
  static String token(String token, long from, long until)
      throws IOException, GeneralSecurityException {
    var parts = token.split("\\.");
    var claims =
        JsonParser.parseString(
                new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8))
            .getAsJsonObject();
    claims.addProperty("iat", from);
    claims.addProperty("nbf", from);
    claims.addProperty("exp", until);
    var signed = parts[0] + "." + encoded(claims.toString().getBytes(StandardCharsets.UTF_8));
    var signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(key());
    signature.update(signed.getBytes(StandardCharsets.US_ASCII));
    return signed + "." + encoded(signature.sign());
  }

  private static PrivateKey key() throws IOException {
    var file = Path.of(KubeApi.directory(), "apiserver.key");
    try (var parser = new PEMParser(Files.newBufferedReader(file))) {
      return new JcaPEMKeyConverter().getKeyPair((PEMKeyPair) parser.readObject()).getPrivate();
    }
  }

  private static String encoded(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
