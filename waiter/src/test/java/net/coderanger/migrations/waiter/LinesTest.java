package net.coderanger.migrations.waiter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import module java.base;

import org.junit.jupiter.api.Test;

class LinesTest {
  @Test
  void aLineMayComeInAnyPieces() throws IOException {
    var one = new ByteArrayInputStream("ä\n\nbc\n".getBytes(StandardCharsets.UTF_8));
    var byteByByte =
        new FilterInputStream(one) {
          @Override
          public int read(byte[] buffer, int offset, int length) throws IOException {
            return super.read(buffer, offset, 1);
          }
        };
    var lines = new Lines(byteByByte);
    assertEquals(Optional.of("ä"), lines.next());
    assertEquals(Optional.of(""), lines.next());
    assertEquals(Optional.of("bc"), lines.next());
    assertEquals(Optional.empty(), lines.next());
  }

  @Test
  void whatHasNoEndIsNoLine() throws IOException {
    var lines = lines("{\"type\":\"waiting\"}\n{\"type\":\"released\"}");
    assertEquals(Optional.of("{\"type\":\"waiting\"}"), lines.next());
    assertEquals(Optional.empty(), lines.next());
    assertEquals(Optional.empty(), lines.next());
  }

  @Test
  void theLongestLinePassesAndALongerOneDoesNot() throws IOException {
    var longest = "x".repeat(Lines.MAX_BYTES);
    assertEquals(Optional.of(longest), lines(longest + "\n").next());
    assertThrows(Lines.TooLong.class, () -> lines(longest + "x\n").next());
  }

  @Test
  void anEndlessLineIsGivenUpWithoutKeepingIt() {
    var endless =
        new InputStream() {
          @Override
          public int read() {
            return 'x';
          }
        };
    assertThrows(Lines.TooLong.class, () -> new Lines(endless).next());
  }

  private static Lines lines(String text) {
    return new Lines(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
  }
}
