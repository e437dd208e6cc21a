import module java.base;

import java.util.spi.ToolProvider;

/**
 * Makes a program's Java runtime with jlink, unless the one that is there was made by this JDK from
 * the same arguments.
 *
 * <p>Arguments: directory of the runtime, then jlink's own.
 */
final class Jre {
  /** All that the runtimes hold. */
  private static final Pattern LEFT_OUT =
      Pattern.compile(
          "(?m)^security\\.provider\\.\\d+=(?!(SUN|SunRsaSign|SunEC|SunJSSE|SunJCE)$).*$");

  private Jre() {}

  public static void main(String... arguments) throws IOException {
    var jre = Path.of(arguments[0]);
    var jlink = Arrays.asList(arguments).subList(1, arguments.length);
    var recipe = Runtime.version() + " " + String.join(" ", jlink);
    var stamp = jre.resolveSibling("jre.recipe");
    if (Files.exists(stamp) && Files.readString(stamp).equals(recipe)) {
      return;
    }
    Files.deleteIfExists(stamp);
    delete(jre);
    var all = Stream.concat(jlink.stream(), Stream.of("--output", jre.toString()));
    var tool = ToolProvider.findFirst("jlink").orElseThrow();
    if (tool.run(System.out, System.err, all.toArray(String[]::new)) != 0) {
      System.exit(1);
    }
    // For each security provider that jlink left out, the JDK would ask the class path, and so load
    // and verify all of BouncyCastle (250 ms, 20 MiB) when OkHttp lists the providers.
    var security = jre.resolve("conf/security/java.security");
    Files.writeString(security, LEFT_OUT.matcher(Files.readString(security)).replaceAll(""));
    Files.writeString(stamp, recipe);
  }

  private static void delete(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (var files = Files.walk(directory)) {
        for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }
}
