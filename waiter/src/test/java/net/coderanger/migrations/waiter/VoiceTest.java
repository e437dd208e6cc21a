package net.coderanger.migrations.waiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VoiceTest {
  @TempDir private Path directory;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private Path terminationLog;
  private Voice voice;

  @BeforeEach
  void speak() throws IOException {
    terminationLog = Files.writeString(directory.resolve("termination-log"), "longer text before");
    voice =
        new Voice(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            terminationLog,
            () -> Instant.parse("2026-01-01T00:00:00.123Z"));
  }

  @Test
  void severalLinesAreSetOffFromTheNextMessage() {
    voice.say("it failed:\nline 1\r\nline 2\n");
    assertEquals("2026-01-01T00:00:00Z it failed:\n    line 1\n    line 2\n", text());
  }

  @Test
  void aMigrationsLogCannotPaintTheTerminal() {
    voice.say("a\u001B[31mred\u001B[0m\u0007\u0000\tb\u202E");
    assertEquals("2026-01-01T00:00:00Z ared\tb\n", text());
  }

  @Test
  void theLastThingSaidIsTheTerminationMessage() throws IOException {
    voice.say("first");
    voice.say("then");
    voice.say("");
    assertEquals("then", Files.readString(terminationLog));
  }

  @Test
  void aLongTerminationMessageKeepsItsBeginningAndItsEnd() throws IOException {
    voice.say("MigrationsFailed: " + "€".repeat(4000) + " the end");
    var bytes = Files.readAllBytes(terminationLog);
    var text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    assertTrue(bytes.length <= 4096, () -> "bytes: " + bytes.length);
    assertTrue(text.startsWith("MigrationsFailed: €"), text);
    assertTrue(text.endsWith("€ the end"), text);
  }

  @Test
  void withoutATerminationLogNothingIsMissed() throws IOException {
    Files.delete(terminationLog);
    voice.say("a");
    assertTrue(Files.notExists(terminationLog));
    assertEquals("2026-01-01T00:00:00Z a\n", text());
  }

  private String text() {
    return out.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
  }
}
