package net.coderanger.migrations.controller.gate;

import io.helidon.http.DirectHandler;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;

/**
 * Answers what is no request. Helidon (4.4.0) says 400 of a head that is too large, too; its
 * message, which comes only with error-handling.include-entity, tells the two apart and goes no
 * further: it may quote the head, and so a token.
 */
public final class BadRequest implements DirectHandler {
  private static final String TOO_LARGE = "Header size exceeded";
  private static final Status FIELDS_TOO_LARGE =
      Status.create(431, "Request Header Fields Too Large");

  @Override
  public TransportResponse handle(
      TransportRequest request,
      EventType type,
      Status status,
      ServerResponseHeaders headers,
      String message) {
    return TransportResponse.builder()
        .status(TOO_LARGE.equals(message) ? FIELDS_TOO_LARGE : status)
        .headers(headers)
        .keepAlive(false)
        .build();
  }
}
