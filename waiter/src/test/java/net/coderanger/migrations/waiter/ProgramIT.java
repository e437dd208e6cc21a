package net.coderanger.migrations.waiter;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import module java.base;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The waiter as its image starts it: the staged runtime, flags, class path and archive. */
@Timeout(40)
class ProgramIT {
  private static final Path IMAGE = Path.of("target/image").toAbsolutePath();
  private static final String WAITING =
      "{\"type\":\"waiting\",\"reason\":\"MigrationsRunning\",\"message\":\"it runs\"}\n";

  @TempDir private Path pod;

  private final Map<String, String> environment = new HashMap<>();
  private StandInGate gate;

  @BeforeEach
  void pod() throws Exception {
    assumeTrue(Files.exists(IMAGE.resolve("app/app.jsa")), "built with -DskipImages");
    var authority = new Authority("ours");
    gate = new StandInGate(authority.serving("gate.example"));
    Files.writeString(pod.resolve("token"), "a.token");
    environment.putAll(
        Map.of(
            "WAITER_MIGRATOR",
            "app",
            "WAITER_POD_UID",
            "uid-1",
            "WAITER_GATE_URL",
            "https://gate.example:" + gate.port(),
            "WAITER_GATE_ADDRESS",
            "127.0.0.1",
            "WAITER_GATE_CA",
            authority.pem(),
            "WAITER_TOKEN_DIRECTORY",
            pod.toString(),
            "WAITER_MARKER_DIRECTORY",
            pod.toString(),
            "WAITER_BACK_OFF_INITIAL",
            "PT0.1S"));
  }

  @AfterEach
  void stop() throws IOException {
    if (gate != null) {
      gate.close();
    }
  }

  @Test
  void startsFromItsArchiveAndEndsWhenReleased() throws Exception {
    gate.then(StandInGate.lines(WAITING)).then(StandInGate.lines(WAITING, StandInGate.RELEASED));
    var classes = pod.resolve("classes.log");
    var waiter = start("-Xshare:on", "-Xlog:class+load:file=" + classes);
    assertEquals(0, waiter.waitFor(), () -> output(waiter));
    try (var lines = Files.lines(classes)) {
      var loaded = lines.filter(it -> it.contains(" source: ")).toList();
      var shared = loaded.stream().filter(it -> it.contains("shared objects file")).count();
      assertTrue(
          shared > 0.9 * loaded.size(),
          () ->
              "%d of %d classes from the archive: write classes.lst anew, mvn package -Dimage.train"
                  .formatted(shared, loaded.size()));
    }
  }

  @Test
  void endsWithinASecondOfSigterm() throws Exception {
    gate.then(
        caller -> {
          caller.send(StandInGate.HEAD);
          caller.chunk(WAITING);
          caller.hold();
        });
    var waiter = start();
    var said = output(waiter, "MigrationsRunning");
    var start = System.nanoTime();
    waiter.destroy();
    assertEquals(143, waiter.waitFor(), said);
    var took = Duration.ofNanos(System.nanoTime() - start);
    assertTrue(took.compareTo(Duration.ofSeconds(1)) < 0, took::toString);
  }

  @Test
  void endsWithinASecondOfSigtermWhileItPauses() throws Exception {
    environment.put("WAITER_BACK_OFF_INITIAL", "PT15S");
    var waiter = start();
    output(waiter, "The gate answers 503");
    var start = System.nanoTime();
    waiter.destroy();
    assertEquals(143, waiter.waitFor());
    var took = Duration.ofNanos(System.nanoTime() - start);
    assertTrue(took.compareTo(Duration.ofSeconds(1)) < 0, took::toString);
  }

  @Test
  void aMissingSettingEndsWithOneAndItsName() throws Exception {
    environment.remove("WAITER_GATE_CA");
    var waiter = start();
    assertEquals(1, waiter.waitFor());
    var said = output(waiter);
    assertTrue(said.contains("WAITER_GATE_CA is missing"), said);
    assertEquals(List.of(), gate.requests());
  }

  private Process start(String... flags) throws IOException {
    var command = new ArrayList<String>(List.of("opt/jre/bin/java", "@app/jvm.args"));
    command.add("-XX:SharedArchiveFile=app/app.jsa");
    command.addAll(List.of(flags));
    command.add("-jar");
    try (var jars = Files.list(IMAGE.resolve("app/classpath"))) {
      command.add(jars.findFirst().orElseThrow().toString());
    }
    var builder = new ProcessBuilder(command).directory(IMAGE.toFile()).redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().putAll(environment);
    return builder.redirectOutput(pod.resolve("output").toFile()).start();
  }

  private String output(Process waiter) {
    try {
      return Files.readString(pod.resolve("output"));
    } catch (IOException e) {
      return e + " of " + waiter;
    }
  }

  private String output(Process waiter, String part) {
    return await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> output(waiter), it -> it.contains(part));
  }
}
