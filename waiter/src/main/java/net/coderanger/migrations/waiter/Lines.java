package net.coderanger.migrations.waiter;

import module java.base;

/** Cuts a stream into lines of bounded length; what has no end is no line. */
final class Lines {
  /** A migration's log, of which a message holds the end, is at most 2 KiB. */
  static final int MAX_BYTES = 64 * 1024;

  /** A line longer than {@link #MAX_BYTES}. */
  static final class TooLong extends IOException {
    private static final long serialVersionUID = 1;
  }

  private final InputStream in;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private final byte[] buffer = new byte[4096];
  private int position;
  private int filled;

  Lines(InputStream in) {
    this.in = in;
  }

  /** The next line without its end; empty when the stream ends, even within a line. */
  Optional<String> next() throws IOException {
    line.reset();
    while (true) {
      for (var i = position; i < filled; i++) {
        if (buffer[i] == '\n') {
          append(i);
          position = i + 1;
          return Optional.of(line.toString(StandardCharsets.UTF_8));
        }
      }
      append(filled);
      position = 0;
      filled = in.read(buffer);
      if (filled < 0) {
        filled = 0;
        return Optional.empty();
      }
    }
  }

  private void append(int end) throws TooLong {
    if (line.size() + end - position > MAX_BYTES) {
      throw new TooLong();
    }
    line.write(buffer, position, end - position);
  }
}
