package net.coderanger.migrations.waiter;

import module java.base;

import io.helidon.json.JsonException;
import io.helidon.json.JsonParser;
import net.coderanger.migrations.api.Vocabulary;

/** What one line of the gate's answer says. */
sealed interface Event {
  /**
   * The migration is not done yet.
   *
   * @param reason a word of the API's reasons, or empty
   * @param message for people, may have several lines
   * @param job the run's Job, or empty
   * @param attempt 1 is the first, 0 not told
   */
  record Waiting(String reason, String message, String job, int attempt) implements Event {}

  /** The gate is there, and nothing has changed. */
  record Heartbeat() implements Event {}

  /** The gate ends this connection for reasons of its own: ask again. */
  record Reconnect() implements Event {}

  /** The only one that opens the gate. */
  record Released() implements Event {}

  /** Of a later version of the gate. */
  record Unknown() implements Event {}

  /** A line that is not one complete JSON object with a type. */
  final class Malformed extends Exception {
    private static final long serialVersionUID = 1;

    Malformed(String message) {
      super(message);
    }
  }

  /** More than any answer of the gate needs; the parser goes one call deeper for each. */
  int MAX_DEPTH = 32;

  String ATTEMPT = "attempt";

  /**
   * @param line without its end
   */
  static Event parse(String line) throws Malformed {
    var members = members(line);
    var type = members.get("type");
    if (type == null) {
      throw new Malformed("an object without a type");
    }
    return switch (type) {
      case Vocabulary.EVENT_RELEASED -> new Released();
      case Vocabulary.EVENT_HEARTBEAT -> new Heartbeat();
      case Vocabulary.EVENT_RECONNECT -> new Reconnect();
      case Vocabulary.EVENT_WAITING ->
          new Waiting(
              members.getOrDefault("reason", ""),
              members.getOrDefault("message", ""),
              members.getOrDefault("job", ""),
              Integer.parseInt(members.getOrDefault(ATTEMPT, "0")));
      default -> new Unknown();
    };
  }

  /** The members of one JSON object that are strings, and the attempt's number. */
  static Map<String, String> members(String json) throws Malformed {
    if (depth(json) > MAX_DEPTH) {
      throw new Malformed("nested too deeply");
    }
    try {
      return read(json.strip());
    } catch (JsonException | NumberFormatException _) {
      // Its message is a dump of the data.
      throw new Malformed("not a JSON object");
    }
  }

  /** Read as a stream: strings of Helidon's JSON tree keep their escapes (4.4.0). */
  private static Map<String, String> read(String text) throws Malformed {
    expect(text.startsWith("{"));
    var members = new HashMap<String, String>();
    var json = JsonParser.create(text);
    var next = json.nextToken();
    while (next != '}') {
      expect(next == '"');
      var name = json.readString();
      expect(json.nextToken() == ':');
      next = json.nextToken();
      if (next == '"' && !name.equals(ATTEMPT)) {
        // Two types in one object: which one was meant?
        expect(members.put(name, json.readString()) == null);
      } else if (name.equals(ATTEMPT) && Character.isDigit(next)) {
        members.put(name, String.valueOf(json.readInt()));
      } else {
        json.skip();
      }
      next = json.nextToken();
      expect(next == '}' || next == ',');
      if (next == ',') {
        next = json.nextToken();
        expect(next == '"');
      }
    }
    expect(!json.hasNext());
    return members;
  }

  private static void expect(boolean well) throws Malformed {
    if (!well) {
      throw new Malformed("not a JSON object");
    }
  }

  private static int depth(String line) {
    var depth = 0;
    var deepest = 0;
    var inString = false;
    for (var i = 0; i < line.length(); i++) {
      var c = line.charAt(i);
      if (inString) {
        if (c == '\\') {
          i++;
        } else if (c == '"') {
          inString = false;
        }
      } else if (c == '"') {
        inString = true;
      } else if (c == '{' || c == '[') {
        deepest = Math.max(deepest, ++depth);
      } else if (c == '}' || c == ']') {
        depth--;
      }
    }
    return deepest;
  }
}
