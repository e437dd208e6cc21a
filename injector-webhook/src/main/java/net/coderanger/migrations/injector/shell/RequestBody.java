package net.coderanger.migrations.injector.shell;

import module java.base;

/** The body of a request, read within limits of size and time. */
sealed interface RequestBody {
  /** Bytes: the most that the API server sends. */
  int LIMIT = 3 * 1024 * 1024;

  /** More than the API server waits for the whole answer. */
  Duration TIME = Duration.ofSeconds(10);

  /** All of it. */
  record Read(byte[] bytes) implements RequestBody {}

  /** Larger than {@link #LIMIT}; the rest is unread. */
  record TooLarge() implements RequestBody {}

  /** Not all there when the time was over; the rest is unread. */
  record TooSlow() implements RequestBody {}

  /** Not what HTTP allows; the rest is unread. */
  record Broken() implements RequestBody {}

  /**
   * @throws UncheckedIOException when the connection ends before the body does
   */
  static RequestBody read(InputStream in, Duration time) {
    var end = System.nanoTime() + time.toNanos();
    var bytes = new ByteArrayOutputStream();
    var buffer = new byte[16 * 1024];
    try {
      while (true) {
        var count = in.read(buffer);
        if (count < 0) {
          return new Read(bytes.toByteArray());
        }
        bytes.write(buffer, 0, count);
        if (bytes.size() > LIMIT) {
          return new TooLarge();
        }
        if (System.nanoTime() > end) {
          return new TooSlow();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
