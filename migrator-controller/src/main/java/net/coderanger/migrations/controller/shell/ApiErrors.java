package net.coderanger.migrations.controller.shell;

import io.kubernetes.client.openapi.ApiException;

/** Says what the API server objected to, for the log. */
public final class ApiErrors {
  private static final int LONGEST = 600;

  private ApiErrors() {}

  /** One line; never a token: a status body holds none. */
  public static String describe(ApiException e) {
    var text =
        e.getCode() == 0
            ? "the API server cannot be reached: " + e.getMessage()
            : "the API server answered %d: %s".formatted(e.getCode(), e.getResponseBody());
    var line = text.replaceAll("\\s+", " ");
    return line.substring(0, Math.min(line.length(), LONGEST));
  }
}
