package net.coderanger.migrations.api;

import module java.base;

/**
 * Names of objects, containers and label values made from a Migrator's name, which may be a DNS
 * subdomain of up to 253 characters where those may be only a DNS label of up to 63.
 */
public final class Names {
  /** Most characters of a DNS label (RFC 1123) and of a label's value. */
  public static final int MAX = 63;

  private static final int HASH = 8;

  private Names() {}

  /** The waiter's container name for a Migrator. */
  public static String waiter(String migrator) {
    return fitted(Vocabulary.WAITER_PREFIX, migrator, "");
  }

  /** The value of {@link Vocabulary#RUN_LABEL} and of the original's label for a Migrator. */
  public static String label(String migrator) {
    return migrator.length() <= MAX ? migrator : fitted("", migrator, "");
  }

  /**
   * The name of a run's Job.
   *
   * @param migrator the Migrator's full name
   * @param identity what sets this attempt apart from all others
   */
  public static String job(String migrator, String... identity) {
    var parts = new ArrayList<String>(List.of(migrator));
    parts.addAll(List.of(identity));
    return fitted("", migrator, "-migrations-" + hash(String.join("\0", parts)));
  }

  /** The first characters of a text's SHA-256, in hexadecimal. */
  public static String hash(String text) {
    try {
      var digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest).substring(0, HASH);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Without dots, at most 63 characters, alphanumeric at both ends, different names different. */
  private static String fitted(String prefix, String name, String suffix) {
    var plain = name.replace('.', '-');
    var whole = prefix + plain + suffix;
    if (plain.equals(name) && whole.length() <= MAX) {
      return whole;
    }
    // A replaced dot must not make two names one: a hash of the full name sets them apart.
    var end = "-" + hash(name) + suffix;
    var room = MAX - prefix.length() - end.length();
    var cut = plain.substring(0, Math.min(plain.length(), room)).replaceFirst("-+$", "");
    return prefix + cut + end;
  }
}
