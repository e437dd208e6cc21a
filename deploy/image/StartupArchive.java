import module java.base;

/**
 * Makes the class data archive (CDS) that a staged image starts from. From one list of classes two
 * builds make the same bytes, in any directory: paths are relative to the staged image, and the JVM
 * accepts another prefix at run time. A stale list costs start-up time only, a missing one most of
 * the gain: the JDK's own then serves.
 *
 * <p>With a training class the list is written first: the class starts the staged image's program
 * in a world of stand-ins, drives it as production does and ends it, and the JVM notes which
 * classes it loaded. The training class has a {@code main(String...)} that is given the command to
 * start (working directory and environment are its own) and returns when the program has ended.
 *
 * <p>Arguments: staged image, the jar within it, the list, optionally the training class.
 */
final class StartupArchive {
  private final Path image;
  private final String jar;

  private StartupArchive(Path image, String jar) {
    this.image = image;
    this.jar = jar;
  }

  public static void main(String... arguments) throws Exception {
    var archive = new StartupArchive(Path.of(arguments[0]).toAbsolutePath(), arguments[1]);
    var classes = Path.of(arguments[2]).toAbsolutePath();
    if (arguments.length > 3) {
      archive.train(arguments[3], classes);
    }
    archive.dump(Files.exists(classes) ? classes : archive.image.resolve("opt/jre/lib/classlist"));
  }

  private void train(String training, Path classes) throws Exception {
    var loaded = Files.createTempFile("classes", ".lst");
    try {
      var command =
          new String[] {
            image.resolve("opt/jre/bin/java").toString(),
            "@" + image.resolve("app/jvm.args"),
            "-Xshare:off",
            "-XX:DumpLoadedClassList=" + loaded,
            "-jar",
            image.resolve(jar).toString()
          };
      Class.forName(training).getMethod("main", String[].class).invoke(null, (Object) command);
      try (var lines = Files.lines(loaded)) {
        // Without what changes with every run and brings nothing measurable: ids, hints, the order.
        Files.write(
            classes,
            lines
                .filter(line -> !line.startsWith("@cp") && !line.startsWith("#"))
                .map(line -> line.replaceFirst(" id: .*", ""))
                .distinct()
                .sorted()
                .toList());
      }
    } finally {
      Files.delete(loaded);
    }
  }

  private void dump(Path classes) throws Exception {
    var file = Path.of("app/app.jsa");
    var java =
        new ProcessBuilder(
                "opt/jre/bin/java",
                "@app/jvm.args",
                "-Xlog:cds=error,aot=error",
                "-Xshare:dump",
                "-XX:SharedClassListFile=" + classes,
                "-XX:SharedArchiveFile=" + file,
                "-cp",
                jar)
            .directory(image.toFile())
            .inheritIO();
    java.environment().clear();
    if (java.start().waitFor() != 0 || !Files.exists(image.resolve(file))) {
      throw new IllegalStateException("No archive");
    }
  }
}
