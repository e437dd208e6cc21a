package net.coderanger.migrations.waiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import module java.base;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventTest {
  @Test
  void aWaitingLineIsReadWithItsEscapes() throws Exception {
    var line =
        """
        {"type":"waiting","reason":"MigrationsFailed","message":"a\\u003cb\\n\\"c\\" \\ud83d\\ude00",\
        "job":"app-migrations-1","attempt":2}\
        """;
    assertEquals(
        new Event.Waiting("MigrationsFailed", "a<b\n\"c\" 😀", "app-migrations-1", 2),
        Event.parse(line));
  }

  @Test
  void membersThatAreMissingOrOfAnotherTypeDoNoHarm() throws Exception {
    assertEquals(
        new Event.Waiting("", "", "", 0),
        Event.parse("{\"type\":\"waiting\",\"job\":null,\"attempt\":\"x\",\"message\":[1]}"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\":\"released\"}",
        "  {\"type\" : \"released\"} \r",
        "{\"later\":{\"a\":[{}]},\"type\":\"released\",\"n\":-1.5e3,\"b\":true,\"z\":null}"
      })
  void releasedIsUnderstoodBesideMembersOfLaterVersions(String line) throws Exception {
    assertInstanceOf(Event.Released.class, Event.parse(line));
  }

  @Test
  void aTypeOfALaterVersionIsUnknownAndNotAFault() throws Exception {
    assertInstanceOf(Event.Unknown.class, Event.parse("{\"type\":\"Released\"}"));
    assertInstanceOf(Event.Reconnect.class, Event.parse("{\"type\":\"reconnect\"}"));
    assertInstanceOf(Event.Heartbeat.class, Event.parse("{\"type\":\"heartbeat\"}"));
  }

  @ParameterizedTest
  @MethodSource("garbage")
  void whatIsNotOneWholeJsonObjectWithATypeIsMalformed(String line) {
    assertThrows(Event.Malformed.class, () -> Event.parse(line));
  }

  static Stream<String> garbage() {
    return Stream.of(
        "",
        "released",
        "\"released\"",
        "[\"released\"]",
        "<html>released</html>",
        "{}",
        "{type:\"released\"}",
        "{'type':'released'}",
        "{\"type\":\"released\"",
        "{\"type\":\"released",
        "{\"type\":\"released\",}",
        "{\"type\":\"released\"}{}",
        "{\"type\":\"released\"} x",
        "{\"type\":\"released\",\"a\":tru}",
        "{\"type\":\"released\" \"a\":1}",
        "{\"type\":\"released\",,\"a\":1}",
        "{\"type\":\"waiting\",\"type\":\"released\"}",
        "{\"type\":[\"released\"]}",
        "{\"type\":{\"type\":\"released\"}}",
        "{\"type\":null}",
        "{\"a\":{\"type\":\"released\"}}",
        "{\"type\":\"waiting\",\"attempt\":99999999999999}",
        "\u0000{\"type\":\"released\"}",
        "{\"type\":\"released\",\"a\":" + "[".repeat(60_000));
  }
}
