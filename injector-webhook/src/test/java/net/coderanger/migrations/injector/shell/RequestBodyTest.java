package net.coderanger.migrations.injector.shell;

import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import org.junit.jupiter.api.Test;

class RequestBodyTest {
  @Test
  void isReadUpToTheLimit() {
    var read = RequestBody.read(zeros(RequestBody.LIMIT), RequestBody.TIME);
    assertEquals(RequestBody.LIMIT, assertInstanceOf(RequestBody.Read.class, read).bytes().length);
    assertEquals(
        new RequestBody.TooLarge(),
        RequestBody.read(zeros(RequestBody.LIMIT + 1), RequestBody.TIME));
  }

  @Test
  void aTrickleIsTooSlow() {
    var trickle =
        new InputStream() {
          @Override
          public int read() {
            return 0;
          }

          @Override
          public int read(byte[] buffer, int offset, int length) {
            return 1;
          }
        };
    assertEquals(new RequestBody.TooSlow(), RequestBody.read(trickle, Duration.ofMillis(5)));
  }

  private static InputStream zeros(int count) {
    return new ByteArrayInputStream(new byte[count]);
  }
}
