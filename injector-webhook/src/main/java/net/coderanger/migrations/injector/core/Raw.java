package net.coderanger.migrations.injector.core;

import module java.base;

import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;

/**
 * Members of a raw JSON object, absent and null alike, as in Kubernetes' own decoding. A member of
 * another type than asked for is a {@link MalformedReview} that names it.
 */
record Raw(JsonObject json) {
  /** JSON-P itself searches the class path for its provider at each call (2.1). */
  static final JsonProvider JSON = JsonProvider.provider();

  static final Raw EMPTY = new Raw(JsonValue.EMPTY_JSON_OBJECT);

  Optional<JsonValue> value(String key) {
    return Optional.ofNullable(json.get(key)).filter(value -> value != JsonValue.NULL);
  }

  Optional<String> text(String key) {
    return value(key).map(value -> cast(key, JsonString.class, value).getString());
  }

  /** The member, or an empty object. */
  Raw object(String key) {
    return value(key).map(value -> new Raw(cast(key, JsonObject.class, value))).orElse(EMPTY);
  }

  Map<String, String> texts(String key) {
    var members = object(key);
    var texts = new HashMap<String, String>();
    members.json().keySet().forEach(it -> members.text(it).ifPresent(text -> texts.put(it, text)));
    return texts;
  }

  /** The objects of an array, at their places; an element that is none is malformed. */
  List<Raw> objects(String key) {
    return value(key)
        .map(value -> cast(key, JsonArray.class, value))
        .orElse(JsonValue.EMPTY_JSON_ARRAY)
        .stream()
        .map(element -> new Raw(cast(key, JsonObject.class, element)))
        .toList();
  }

  private static <T> T cast(String key, Class<T> type, JsonValue value) {
    if (!type.isInstance(value)) {
      throw new MalformedReview("'" + key + "' has the wrong type");
    }
    return type.cast(value);
  }
}
