package net.coderanger.migrations.injector.shell;

import module java.base;

import jakarta.json.JsonConfig;
import jakarta.json.JsonException;
import jakarta.json.JsonObject;
import jakarta.json.JsonReaderFactory;
import jakarta.json.spi.JsonProvider;
import net.coderanger.migrations.injector.core.MalformedReview;
import net.coderanger.migrations.injector.core.Outcome;
import net.coderanger.migrations.injector.core.Outcome.AllowUntouched;
import net.coderanger.migrations.injector.core.Outcome.Patch;
import net.coderanger.migrations.injector.core.Outcome.Refuse;

/** AdmissionReview v1 on the wire. */
final class Reviews {
  /** JSON-P itself searches the class path for its provider at each call (2.1). */
  private static final JsonProvider JSON = JsonProvider.provider();

  /** Pods nest about a dozen levels; the parser recurses. */
  private static final int MAX_DEPTH = 100;

  /** Parsson's own key: JSON-P has none. */
  private static final String PARSER_DEPTH = "org.eclipse.parsson.maxDepth";

  private static final int FORBIDDEN = 403;

  private static final JsonReaderFactory READERS =
      JSON.createReaderFactory(
          Map.of(JsonConfig.KEY_STRATEGY, JsonConfig.KeyStrategy.NONE, PARSER_DEPTH, MAX_DEPTH));

  private Reviews() {}

  /**
   * @throws MalformedReview when it is not one JSON object in UTF-8 with each key once
   */
  static JsonObject parse(byte[] body) {
    try {
      var text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
      try (var reader = READERS.createReader(new StringReader(text))) {
        return reader.readObject();
      }
    } catch (CharacterCodingException e) {
      throw new MalformedReview("not UTF-8");
    } catch (JsonException | IllegalStateException e) {
      throw new MalformedReview("not a JSON object: " + e.getMessage());
    } catch (RuntimeException e) {
      // The parser's own limits, the depth among them.
      throw new MalformedReview("JSON beyond the limits: " + e.getMessage());
    }
  }

  /**
   * @throws MalformedReview when what must be repeated from the request cannot be written as UTF-8
   */
  static byte[] answer(String uid, Outcome outcome) {
    var response = JSON.createObjectBuilder().add("uid", uid);
    switch (outcome) {
      case AllowUntouched _ -> response.add("allowed", true);
      case Patch patch -> {
        var operations = bytes(patch.operations().toString());
        response
            .add("allowed", true)
            .add("patchType", "JSONPatch")
            .add("patch", Base64.getEncoder().encodeToString(operations));
      }
      case Refuse refuse ->
          response
              .add("allowed", false)
              .add(
                  "status",
                  JSON.createObjectBuilder()
                      .add("code", FORBIDDEN)
                      .add("reason", "Forbidden")
                      .add("message", refuse.message()));
    }
    if (!outcome.warnings().isEmpty()) {
      response.add("warnings", JSON.createArrayBuilder(outcome.warnings()));
    }
    return bytes(
        JSON.createObjectBuilder()
            .add("apiVersion", "admission.k8s.io/v1")
            .add("kind", "AdmissionReview")
            .add("response", response)
            .build()
            .toString());
  }

  /** Lone surrogates pass JSON's escapes, but not UTF-8. */
  private static byte[] bytes(String text) {
    try {
      var encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
      var bytes = new byte[encoded.remaining()];
      encoded.get(bytes);
      return bytes;
    } catch (CharacterCodingException e) {
      throw new MalformedReview("a lone surrogate");
    }
  }
}
