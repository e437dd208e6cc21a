package net.coderanger.migrations.api;

import module java.base;

/** Files and directories of tests, where the next clean build takes them away. */
public final class Scratch {
  private static final Path ROOT = Path.of("target", "scratch").toAbsolutePath();

  private Scratch() {}

  /** A new empty file, its name made unique between these. */
  public static Path file(String prefix, String suffix) throws IOException {
    return Files.createTempFile(Files.createDirectories(ROOT), prefix, suffix);
  }

  /** A new empty directory. */
  public static Path directory(String prefix) throws IOException {
    return Files.createTempDirectory(Files.createDirectories(ROOT), prefix);
  }
}
