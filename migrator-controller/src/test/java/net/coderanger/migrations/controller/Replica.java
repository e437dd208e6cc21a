package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;

import module java.base;

import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Scratch;

/**
 * The service itself in a process of its own, with the flags of its image: one that can be killed.
 */
final class Replica implements AutoCloseable {
  /** The longest that one may take to be ready. */
  static final Duration START = Duration.ofSeconds(60);

  private final Process process;
  private final Path clock;
  private final int management = freePort();
  final String identity;
  final int port;
  final Path log;

  /**
   * @param port of the gate; 0 for any
   */
  Replica(KubeApi kube, String identity, int port) throws IOException {
    this(kube.kubeconfig(), identity, port);
  }

  /**
   * @param access the text of a kubeconfig
   * @param port of the gate; 0 for any
   */
  Replica(String access, String identity, int port) throws IOException {
    this(access, identity, port, false);
  }

  /** One whose clock can be set. */
  static Replica withClock(String access, String identity) throws IOException {
    return new Replica(access, identity, 0, true);
  }

  private Replica(String access, String identity, int port, boolean withClock) throws IOException {
    this.identity = identity;
    this.port = port == 0 ? freePort() : port;
    var kubeconfig = Scratch.file("kubeconfig", "");
    Files.writeString(kubeconfig, access);
    log = Scratch.file("replica-" + identity, ".log");
    clock = Scratch.file("clock", "");
    setClock(Duration.ZERO);
    var builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@" + Path.of("src/main/image/jvm.args").toAbsolutePath(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder
        .environment()
        .putAll(
            Map.of(
                "KUBECONFIG",
                kubeconfig.toString(),
                "CONTROLLER_NAMESPACE",
                "default",
                "CONTROLLER_IDENTITY",
                identity,
                "CONTROLLER_LEASE_DURATION",
                "PT3S",
                "CONTROLLER_RENEW_DEADLINE",
                "PT2S",
                "CONTROLLER_RETRY_PERIOD",
                "PT0.5S",
                "SERVER_PORT",
                String.valueOf(this.port),
                "SERVER_SOCKETS_0_PORT",
                String.valueOf(management)));
    if (withClock) {
      builder.command().add(1, "-javaagent:%s=%s".formatted(ClockAgent.jar(), clock));
    }
    process = builder.start();
    try {
      await().atMost(START).until(this::isReady);
    } catch (RuntimeException e) {
      kill();
      throw e;
    }
  }

  private boolean isReady() {
    if (!process.isAlive()) {
      throw new IllegalStateException(identity + " has ended with " + process.exitValue());
    }
    try {
      var url = URI.create("http://127.0.0.1:%d/health/ready".formatted(management)).toURL();
      return ((HttpURLConnection) url.openConnection()).getResponseCode() < 300;
    } catch (IOException _) {
      return false;
    }
  }

  /** Resident memory in MiB. */
  double resident() throws IOException {
    var line =
        Files.readAllLines(Path.of("/proc/%d/status".formatted(process.pid()))).stream()
            .filter(it -> it.startsWith("VmRSS"))
            .findFirst()
            .orElseThrow();
    return Integer.parseInt(line.replaceAll("\\D", "")) / 1024.0;
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Sends the signal of this name. */
  void signal(String name) throws IOException {
    var kill = new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start();
    kill.onExit().join();
  }

  /** From now on its clock, that of the day, goes ahead of ours by so much, or behind. */
  void setClock(Duration offset) throws IOException {
    var next = Scratch.file("clock", ".next");
    Files.writeString(next, String.valueOf(offset.toMillis()));
    Files.move(next, clock, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Without a word, as when its node fails. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  private static int freePort() {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    kill();
  }
}
