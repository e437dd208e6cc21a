package net.coderanger.migrations.waiter;

import module java.base;

/** Shows the waiter what production does, for the list of classes in its start-up archive. */
public final class Training {
  private Training() {}

  /**
   * @param command starts the waiter
   */
  public static void main(String... command) throws Exception {
    var authority = new Authority("training");
    var pod = Files.createTempDirectory("training");
    Files.writeString(pod.resolve("token"), "a.b.c");
    var waiting =
        "{\"type\":\"waiting\",\"reason\":\"MigrationsRunning\",\"message\":\"a\\nb\","
            + "\"job\":\"j\",\"attempt\":1}\n";
    try (var gate = new StandInGate(authority.serving("localhost"))) {
      gate.then(StandInGate.lines(waiting, "{\"type\":\"heartbeat\"}\n"))
          .then(StandInGate.lines(waiting, StandInGate.RELEASED));
      var builder = new ProcessBuilder(command).inheritIO();
      builder.environment().clear();
      builder
          .environment()
          .putAll(
              Map.of(
                  "WAITER_MIGRATOR",
                  "training",
                  "WAITER_POD_UID",
                  "uid",
                  "WAITER_GATE_URL",
                  "https://localhost:" + gate.port(),
                  "WAITER_GATE_CA",
                  authority.pem(),
                  "WAITER_TOKEN_DIRECTORY",
                  pod.toString(),
                  "WAITER_MARKER_DIRECTORY",
                  pod.toString()));
      var waiter = builder.start();
      if (!waiter.waitFor(2, TimeUnit.MINUTES) || waiter.exitValue() != 0) {
        waiter.destroyForcibly();
        throw new IllegalStateException("The waiter was not released");
      }
    }
  }
}
