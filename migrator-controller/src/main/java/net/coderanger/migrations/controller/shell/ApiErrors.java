package net.coderanger.migrations.controller.shell;

import module java.base;

import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.kubernetes.client.openapi.ApiException;

/** Says what the API server objected to. */
public final class ApiErrors {
  private static final int LONGEST = 600;

  private ApiErrors() {}

  /**
   * Whether the API server does not take what it was given, as long as neither that nor the cluster
   * changes: malformed, forbidden (quota, admission policies), invalid. A conflict is none.
   */
  static boolean isRefusal(ApiException e) {
    return Set.of(400, 403, 413, 422).contains(e.getCode());
  }

  /** What the API server said to people; its whole answer where that holds no message. */
  static String message(ApiException e) {
    try {
      var message =
          JsonParser.parseString(e.getResponseBody())
              .getAsJsonObject()
              .get("message")
              .getAsString();
      return message.substring(0, Math.min(message.length(), LONGEST));
    } catch (JsonParseException | IllegalStateException | NullPointerException _) {
      return describe(e);
    }
  }

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
