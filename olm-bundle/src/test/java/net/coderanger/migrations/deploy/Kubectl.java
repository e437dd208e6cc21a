package net.coderanger.migrations.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import module java.base;

import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Scratch;

/** The kubectl that belongs to the API server of the tests. */
final class Kubectl implements AutoCloseable {
  /**
   * How a command ended.
   *
   * @param output on both streams
   */
  record Outcome(int status, String output) {}

  private final Path kubeconfig;

  Kubectl(KubeApi kube) {
    try {
      kubeconfig = Files.writeString(Scratch.file("kubeconfig", ""), kube.kubeconfig());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The objects of an overlay. */
  static List<Manifest> kustomize(String folder) throws IOException, InterruptedException {
    var outcome = run(List.of(binary(), "kustomize", folder), "");
    assertEquals(0, outcome.status(), outcome::output);
    return Manifest.parse(outcome.output());
  }

  private static String binary() throws IOException {
    return KubeApi.kubectl().toString();
  }

  /** Its output; fails the test when the command does. */
  String succeed(String... arguments) throws IOException, InterruptedException {
    var outcome = run("", arguments);
    if (outcome.status() != 0) {
      throw new AssertionError(String.join(" ", arguments) + ": " + outcome.output());
    }
    return outcome.output();
  }

  /**
   * What `auth can-i` answers: yes or no.
   *
   * @param what a resource, with its group after a dot, and perhaps a subresource after a slash
   * @param where empty: in all namespaces
   */
  String canI(String who, String verb, String what, String where)
      throws IOException, InterruptedException {
    var arguments =
        new ArrayList<>(
            List.of("auth", "can-i", verb, what.replaceFirst("/.*", ""), "--as=" + who));
    arguments.addAll(where.isEmpty() ? List.of("--all-namespaces") : List.of("-n", where));
    if (what.contains("/")) {
      arguments.add("--subresource=" + what.replaceFirst(".*/", ""));
    }
    var said = run("", arguments.toArray(String[]::new)).output();
    return said.lines()
        .filter(Set.of("yes", "no")::contains)
        .findFirst()
        .orElseThrow(() -> new AssertionError(said));
  }

  Outcome run(String input, String... arguments) throws IOException, InterruptedException {
    var command = new ArrayList<>(List.of(binary(), "--kubeconfig", kubeconfig.toString()));
    command.addAll(List.of(arguments));
    return run(command, input);
  }

  private static Outcome run(List<String> command, String input)
      throws IOException, InterruptedException {
    var stdin = Files.writeString(Scratch.file("stdin", ""), input);
    try {
      var process =
          new ProcessBuilder(command)
              .directory(Manifest.ROOT.toFile())
              .redirectInput(stdin.toFile())
              .redirectErrorStream(true)
              .start();
      var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Outcome(process.waitFor(), output);
    } finally {
      Files.delete(stdin);
    }
  }

  @Override
  public void close() throws IOException {
    Files.delete(kubeconfig);
  }
}
