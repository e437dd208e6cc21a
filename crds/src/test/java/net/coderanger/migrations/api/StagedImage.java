package net.coderanger.migrations.api;

import static org.junit.jupiter.api.Assertions.assertTrue;

import module java.base;

/** What the build has laid out for the module's image: the program as it will run there. */
public final class StagedImage {
  private static final Path IMAGE = Path.of("target/image").toAbsolutePath();

  private final Path classes;

  /** Of the module that is being tested. */
  public StagedImage() throws IOException {
    classes = Scratch.file("classes", ".log");
  }

  /** Starts the program; its class data archive must fit, and what comes from it is noted. */
  public List<String> command() throws IOException {
    try (var jars = Files.list(IMAGE.resolve("app/classpath"))) {
      return List.of(
          IMAGE.resolve("opt/jre/bin/java").toString(),
          "@" + IMAGE.resolve("app/jvm.args"),
          "-XX:SharedArchiveFile=" + IMAGE.resolve("app/app.jsa"),
          "-Xshare:on",
          "-Xlog:class+load:file=" + classes,
          "-jar",
          jars.findFirst().orElseThrow().toString());
    }
  }

  /** Checks that the program has started from its archive. */
  public void assertUsed() throws IOException {
    try (var lines = Files.lines(classes)) {
      var loaded = lines.filter(it -> it.contains(" source: ")).toList();
      var shared = loaded.stream().filter(it -> it.contains("shared objects file")).count();
      assertTrue(
          // The rest is made at run time: lambdas, method handles.
          shared > 0.8 * loaded.size(),
          () ->
              "%d of %d classes from the archive: write classes.lst anew, mvn package -Dimage.train"
                  .formatted(shared, loaded.size()));
    }
  }
}
