package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;

import module java.base;

import net.coderanger.migrations.api.Scratch;

/** A {@link Crowd} in a process of its own, and what each of it has heard. */
final class Waiters implements AutoCloseable {
  /**
   * What one of them heard.
   *
   * @param at when, as System.nanoTime tells it, which is one clock for all processes
   */
  record Heard(long at, String what) {}

  static final String RELEASED = "{\"type\":\"released\"}";

  private final Process process;
  private final List<List<Heard>> heard;

  Waiters(String ports, String migrator, List<String> tokens) throws IOException {
    heard =
        Stream.generate(() -> (List<Heard>) new CopyOnWriteArrayList<Heard>())
            .limit(tokens.size())
            .toList();
    var file = Scratch.file("tokens", "");
    Files.write(file, tokens);
    var classes = Crowd.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classes,
                "-Xmx512m",
                Crowd.class.getName(),
                ports,
                "/v1/migrators/%s/wait".formatted(migrator),
                file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    Thread.startVirtualThread(this::read);
  }

  private void read() {
    try (var lines = process.inputReader()) {
      for (var line = lines.readLine(); line != null; line = lines.readLine()) {
        var parts = line.split(" ", 3);
        heard.get(Integer.parseInt(parts[0])).add(new Heard(Long.parseLong(parts[1]), parts[2]));
      }
    } catch (IOException _) {
      // closed
    }
  }

  /** Everything that this one heard. */
  List<Heard> heard(int number) {
    return heard.get(number);
  }

  /** How many have heard a line with this text. */
  int told(String text) {
    return (int)
        heard.stream().filter(all -> all.stream().anyMatch(it -> it.what().contains(text))).count();
  }

  void awaitTold(int number, String text) {
    await()
        .atMost(Duration.ofSeconds(90))
        .pollInterval(Duration.ofMillis(50))
        .until(() -> told(text) >= number);
  }

  /** Milliseconds from then on until each that heard it heard this, the quickest first. */
  List<Double> after(long then, String text) {
    return heard.stream()
        .flatMap(all -> all.stream().filter(it -> it.what().contains(text)).limit(1))
        .map(it -> (it.at() - then) / 1e6)
        .sorted()
        .toList();
  }

  /** All of them vanish at once. */
  void vanish() {
    process.destroyForcibly();
  }

  @Override
  public void close() {
    vanish();
  }
}
