package net.coderanger.migrations.waiter;

import module java.base;

/**
 * Speaks to people: {@code kubectl logs POD -c migrate-wait-…}, and the pod's status, where the
 * last thing said is the container's termination message.
 */
final class Voice {
  /** https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/ */
  private static final int MAX_TERMINATION_BYTES = 4096;

  private final PrintStream out;
  private final Path terminationLog;
  private final InstantSource clock;

  Voice(PrintStream out, Path terminationLog, InstantSource clock) {
    this.out = out;
    this.terminationLog = terminationLog;
    this.clock = clock;
  }

  /** Says nothing when there is nothing to say. */
  void say(String text) {
    if (text.isEmpty()) {
      return;
    }
    var clean = clean(text);
    out.println(clock.instant().truncatedTo(ChronoUnit.SECONDS) + " " + clean);
    out.flush();
    try {
      Files.write(
          terminationLog,
          fitted(clean.getBytes(StandardCharsets.UTF_8)),
          StandardOpenOption.WRITE,
          StandardOpenOption.TRUNCATE_EXISTING);
    } catch (IOException _) {
      // Outside a pod, or under another user: the log has it all.
    }
  }

  /** A migration's log is a stranger's text: no terminal escapes, further lines indented. */
  private static String clean(String text) {
    return text.strip()
        .replace("\r\n", "\n")
        .replaceAll("\u001B\\[[0-9;?]*[A-Za-z]", "")
        .replaceAll("[\\p{Cc}\\p{Cf}&&[^\n\t]]", "")
        .replace("\n", "\n    ");
  }

  /** The beginning says what, the end of a failed migration's log says why: the middle goes. */
  private static byte[] fitted(byte[] text) {
    if (text.length <= MAX_TERMINATION_BYTES) {
      return text;
    }
    // At a character's first byte: a status with broken UTF-8 could not be written.
    var head = MAX_TERMINATION_BYTES / 4;
    while (isWithinCharacter(text[head])) {
      head--;
    }
    var tail = text.length - MAX_TERMINATION_BYTES / 2;
    while (isWithinCharacter(text[tail])) {
      tail++;
    }
    var fitted = new ByteArrayOutputStream();
    fitted.write(text, 0, head);
    fitted.writeBytes(" […] ".getBytes(StandardCharsets.UTF_8));
    fitted.write(text, tail, text.length - tail);
    return fitted.toByteArray();
  }

  private static boolean isWithinCharacter(byte utf8) {
    return (utf8 & 0xC0) == 0x80;
  }
}
