package net.coderanger.migrations.e2e;

import static org.awaitility.Awaitility.await;

import module java.base;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.Pair;
import io.kubernetes.client.util.ClientBuilder;
import io.kubernetes.client.util.KubeConfig;
import net.coderanger.migrations.api.LenientJson;

/**
 * The cluster that the tests run on, whichever it is, with the operator installed. Knows nothing of
 * who provides it: e2e/kind/cluster.sh says where it is.
 */
final class Lab {
  private static final Path ROOT = Path.of(System.getProperty("root.dir"));
  private static final Duration INSTALLATION = Duration.ofMinutes(3);
  private static final Lab INSTANCE = new Lab();

  private final ApiClient client;

  private Lab() {
    LenientJson.install();
    client = newClient();
  }

  /** A client of its own for the cluster. */
  ApiClient newClient() {
    var kubeconfig = shell("\"$ROOT\"/e2e/kind/cluster.sh kubeconfig", "").strip();
    try (var file = Files.newBufferedReader(Path.of(kubeconfig))) {
      return ClientBuilder.kubeconfig(KubeConfig.loadKubeConfig(file)).build();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A command that runs kubectl so, for what does not end by itself. */
  ProcessBuilder kubectlCommand(String... arguments) {
    var builder =
        new ProcessBuilder(
            "bash",
            "-euc",
            "eval \"$(\"$ROOT\"/e2e/kind/cluster.sh env)\"; exec kubectl " + quoted(arguments));
    builder.environment().put("ROOT", ROOT.toString());
    return builder;
  }

  /** The cluster, with the operator installed and available. */
  static Lab withOperator() {
    return Installation.LAB;
  }

  /** Installs once for all tests of this run. */
  private static final class Installation {
    private static final Lab LAB = install();

    private static Lab install() {
      INSTANCE.kubectl(
          "",
          "apply",
          "--server-side",
          "--force-conflicts",
          "-k",
          ROOT.resolve("deploy/default").toString());
      INSTANCE.awaitOperator();
      return INSTANCE;
    }
  }

  /** Waits until both services are rolled out, and until pods are really injected. */
  void awaitOperator() {
    awaitRolledOut("migrations-operator");
    // The API server learns of a webhook and its CA a moment later.
    await()
        .atMost(INSTALLATION)
        .until(
            () -> {
              var hook =
                  get(
                      "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/zz-migrations-operator-injector");
              return hook.getAsJsonArray("webhooks").asList().stream()
                  .allMatch(
                      webhook ->
                          webhook
                              .getAsJsonObject()
                              .getAsJsonObject("clientConfig")
                              .has("caBundle"));
            });
  }

  /** Waits until both services are rolled out in this namespace. */
  void awaitRolledOut(String namespace) {
    for (var deployment : List.of("migrator-controller", "injector-webhook")) {
      try {
        kubectl(
            "",
            "-n",
            namespace,
            "rollout",
            "status",
            "deployment/" + deployment,
            "--timeout=" + INSTALLATION.toSeconds() + "s");
      } catch (IllegalStateException e) {
        throw new IllegalStateException(
            e.getMessage()
                + kubectl("", "-n", namespace, "describe", "pods")
                + kubectl(
                    "",
                    "-n",
                    namespace,
                    "logs",
                    "-l",
                    "app.kubernetes.io/name=" + deployment,
                    "--tail=100"),
            e);
      }
    }
  }

  /** Waits for a state of the cluster. */
  void awaitThat(String what, Callable<Boolean> condition) {
    awaitThat(what, INSTALLATION, condition);
  }

  /** Waits for a state of the cluster, at most so long. */
  void awaitThat(String what, Duration atMost, Callable<Boolean> condition) {
    await(what).atMost(atMost).pollInterval(Duration.ofMillis(200)).until(condition);
  }

  /** Runs kubectl; what it printed, or an exception with that where it failed. */
  String kubectl(String input, String... arguments) {
    return shell(
        "eval \"$(\"$ROOT\"/e2e/kind/cluster.sh env)\"; kubectl " + quoted(arguments), input);
  }

  /** Runs Helm; what it printed, or an exception with that where it failed. */
  String helm(String... arguments) {
    return shell(
        "eval \"$(\"$ROOT\"/e2e/kind/cluster.sh env)\"; \"$ROOT\"/e2e/tools/tool.sh helm "
            + quoted(arguments),
        "");
  }

  private static String quoted(String... arguments) {
    return Stream.of(arguments)
        .map(argument -> "'" + argument.replace("'", "'\\''") + "'")
        .collect(Collectors.joining(" "));
  }

  private static String shell(String script, String input) {
    try {
      var builder = new ProcessBuilder("bash", "-euc", script).redirectErrorStream(false);
      builder.environment().put("ROOT", ROOT.toString());
      var errors = Files.createTempFile("stderr", "");
      try {
        var process = builder.redirectError(errors.toFile()).start();
        try (var stdin = process.outputWriter()) {
          stdin.write(input);
        }
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
          throw new IllegalStateException(
              "%s: exit %d%n%s%s"
                  .formatted(script, process.exitValue(), output, Files.readString(errors)));
        }
        return output;
      } finally {
        Files.delete(errors);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  JsonObject get(String path) throws ApiException {
    return call("GET", path, null, "application/json");
  }

  /** An object, empty when there is none. */
  Optional<JsonObject> find(String path) throws ApiException {
    try {
      return Optional.of(get(path));
    } catch (ApiException e) {
      if (e.getCode() == 404) {
        return Optional.empty();
      }
      throw e;
    }
  }

  List<JsonObject> list(String path) throws ApiException {
    return get(path).getAsJsonArray("items").asList().stream()
        .map(JsonElement::getAsJsonObject)
        .toList();
  }

  JsonObject create(String path, String json) throws ApiException {
    return call("POST", path, JsonParser.parseString(json), "application/json");
  }

  JsonObject patch(String path, String mergePatch) throws ApiException {
    return call("PATCH", path, JsonParser.parseString(mergePatch), "application/merge-patch+json");
  }

  void delete(String path) throws ApiException {
    call("DELETE", path, null, "application/json");
  }

  private JsonObject call(String verb, String path, JsonElement body, String contentType)
      throws ApiException {
    var call =
        client.buildCall(
            null,
            path,
            verb,
            List.<Pair>of(),
            List.of(),
            body,
            new HashMap<>(Map.of("Accept", "application/json", "Content-Type", contentType)),
            new HashMap<>(),
            new HashMap<>(),
            new String[] {"BearerToken"},
            null);
    return client.<JsonObject>execute(call, JsonObject.class).getData();
  }

  /** The text of a container's log; empty while the container has not started. */
  String log(String namespace, String pod, String container) {
    try {
      return kubectl("", "-n", namespace, "logs", pod, "-c", container);
    } catch (IllegalStateException e) {
      if (e.getMessage().contains("is waiting to start")) {
        return "";
      }
      throw e;
    }
  }

  static Path root() {
    return ROOT;
  }
}
