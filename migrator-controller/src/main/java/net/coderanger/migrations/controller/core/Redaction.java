package net.coderanger.migrations.controller.core;

import module java.base;

/** Takes passwords out of text that came from a migration's log. */
final class Redaction {
  // scheme://user:password@host; the password may hold anything but blanks and quotes.
  private static final Pattern USERINFO =
      Pattern.compile("([a-zA-Z][a-zA-Z0-9+.-]*://[^\\s/:@\"']*):[^\\s\"']*@");
  private static final Pattern PARAMETER =
      Pattern.compile("(?i)((?:password|passwd|pwd|secret|token)=)[^\\s&;,\"']+");

  private Redaction() {}

  /** The text with the passwords of URLs and connection strings masked. */
  static String of(String text) {
    return PARAMETER.matcher(USERINFO.matcher(text).replaceAll("$1:***@")).replaceAll("$1***");
  }
}
