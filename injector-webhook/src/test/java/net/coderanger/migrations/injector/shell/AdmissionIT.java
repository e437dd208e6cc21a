package net.coderanger.migrations.injector.shell;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.*;

import module java.base;

import com.google.gson.JsonArray;
import com.google.gson.JsonParser;
import net.coderanger.migrations.api.Scratch;
import net.coderanger.migrations.api.StagedImage;
import okhttp3.MediaType;
import okhttp3.Request;
import okhttp3.RequestBody;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * How long the creation of a pod takes with the injector, as its image runs it, beside a small
 * webhook in Go and beside none: the same pod, the same API server, turn by turn.
 */
class AdmissionIT {
  private static final int ROUNDS = Integer.getInteger("admission.rounds", 10);
  private static final int PODS_OF_A_ROUND = 50;
  private static final int FREE_ROUNDS = 2;

  /** None of the three is the reference of the rest: namespaces in the order of measurement. */
  private static final List<String> NAMESPACES = List.of("none", "go", "ours", "ours-unselected");

  private static final String POD =
      """
      {"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"shop-","labels":{"app":"shop"}},
       "spec":{"containers":[{"name":"shop","image":"shop:1"}]}}
      """;

  private static ClusterUnderTest cluster;
  private static final List<Process> PROCESSES = new ArrayList<>();

  @BeforeAll
  static void start() throws Exception {
    cluster = new ClusterUnderTest();
    var certificate = TestCertificate.directory();
    var ca = Files.readString(certificate.resolve("ca.crt"));
    cluster.namespace("migrations-operator", "{}");
    cluster.gate("migrations-operator", ca);
    for (var namespace : NAMESPACES) {
      cluster.namespace(namespace, "{'hook':'%s'}".formatted(namespace.split("-")[0]));
    }
    cluster.migrator("ours", "db", "shop");

    var port = freePort();
    var management = freePort();
    var image = new StagedImage();
    var ours = new ProcessBuilder(image.command());
    ours.environment()
        .putAll(
            Map.of(
                "KUBECONFIG",
                Files.writeString(Scratch.file("kube", "config"), cluster.kubeconfig()).toString(),
                "SERVER_PORT",
                port,
                "SERVER_SOCKETS_0_PORT",
                management,
                "TLS_MODE",
                "files",
                "TLS_DIRECTORY",
                certificate.toString()));
    if (System.getenv("ADM_OPTS") != null)
      ours.environment().put("JDK_JAVA_OPTIONS", System.getenv("ADM_OPTS"));
    run(ours);
    await().atMost(Duration.ofSeconds(60)).until(() -> isReady(management));
    var patch = Scratch.file("patch", ".json");
    Files.write(patch, patchOf(Integer.parseInt(port)));
    var go = run(new ProcessBuilder(goHook().toString(), certificate.toString(), patch.toString()));
    cluster.webhook("zz-go", Integer.parseInt(firstLine(go)), ca, "{'hook':'go'}");
    cluster.webhook("zz-ours", Integer.parseInt(port), ca, "{'hook':'ours'}");
    for (var namespace : List.of("go", "ours")) {
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> dryRun(namespace).contains("migrate-wait-db"));
    }
  }

  @AfterAll
  static void stop() {
    PROCESSES.forEach(Process::destroyForcibly);
    cluster.close();
  }

  @Test
  void aPodIsAdmittedAboutAsFastAsWithAWebhookInGo() throws Exception {
    var times = new TreeMap<String, List<Double>>();
    for (var round = 0; round < FREE_ROUNDS + ROUNDS; round++) {
      for (var namespace : NAMESPACES) {
        for (var i = 0; i < PODS_OF_A_ROUND; i++) {
          var begin = System.nanoTime();
          var pod = dryRun(namespace);
          var took = (System.nanoTime() - begin) / 1e6;
          assertEquals(
              Set.of("go", "ours").contains(namespace), pod.contains("migrate-wait-db"), pod);
          if (round >= FREE_ROUNDS) {
            times.computeIfAbsent(namespace, _ -> new ArrayList<>()).add(took);
          }
        }
      }
    }
    for (var namespace : NAMESPACES) {
      System.out.printf(
          "dry-run create, webhook %s: p50 %.2f, p90 %.2f, p99 %.2f ms%n",
          namespace,
          percentile(times.get(namespace), 50),
          percentile(times.get(namespace), 90),
          percentile(times.get(namespace), 99));
    }
    for (var percent : List.of(50, 90)) {
      assertTrue(
          percentile(times.get("ours"), percent) < 2 * percentile(times.get("go"), percent),
          "percentile " + percent + " is more than twice that with the hook in Go");
    }
  }

  private static double percentile(List<Double> times, int percent) {
    return times.stream().sorted().toList().get((times.size() - 1) * percent / 100);
  }

  private static String dryRun(String namespace) throws IOException {
    var request =
        new Request.Builder()
            .url(
                cluster.calls().getBasePath()
                    + "/api/v1/namespaces/%s/pods?dryRun=All".formatted(namespace))
            .post(RequestBody.create(POD, MediaType.get("application/json")))
            .build();
    try (var answer = cluster.calls().getHttpClient().newCall(request).execute()) {
      var body = answer.body().string();
      assertEquals(201, answer.code(), body);
      return body;
    }
  }

  /** What our own answers for such a pod, as the API server sends it: it has a volume by then. */
  private static byte[] patchOf(int port) throws Exception {
    var pod = JsonParser.parseString(POD).getAsJsonObject();
    pod.getAsJsonObject("spec").add("volumes", new JsonArray());
    try (var connection = new Connection(port)) {
      var answer =
          connection.post(
              "/mutate",
              ReviewText.creating("ours", pod.toString()).getBytes(StandardCharsets.UTF_8),
              "Content-Type: application/json");
      return Base64.getDecoder()
          .decode(
              JsonParser.parseString(answer.body())
                  .getAsJsonObject()
                  .getAsJsonObject("response")
                  .get("patch")
                  .getAsString());
    }
  }

  private static Path goHook() throws Exception {
    var program = Scratch.file("hook", "");
    var build =
        new ProcessBuilder("go", "build", "-C", "src/test/go/hook", "-o", program.toString(), ".")
            .inheritIO();
    build.environment().put("GOFLAGS", "-buildvcs=false");
    assertEquals(0, build.start().waitFor(), "go build: install Go 1.25 or later");
    return program;
  }

  private static Process run(ProcessBuilder builder) throws IOException {
    var process = builder.redirectError(Scratch.file("hook", ".log").toFile()).start();
    PROCESSES.add(process);
    return process;
  }

  private static String firstLine(Process process) throws IOException {
    return process.inputReader().readLine();
  }

  private static boolean isReady(String port) {
    try {
      var connection =
          (HttpURLConnection)
              URI.create("http://127.0.0.1:" + port + "/health/ready").toURL().openConnection();
      connection.setReadTimeout(5000);
      return connection.getResponseCode() == 200;
    } catch (IOException _) {
      return false;
    }
  }

  private static String freePort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return String.valueOf(socket.getLocalPort());
    }
  }
}
