package net.coderanger.migrations.api;

import static org.awaitility.Awaitility.await;

import module java.base;

import io.fabric8.kubeapitest.KubeAPIServer;
import io.fabric8.kubeapitest.KubeAPIServerConfigBuilder;
import io.kubernetes.client.custom.V1Patch;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.apis.CoreV1Api;
import io.kubernetes.client.openapi.models.AuthenticationV1TokenRequest;
import io.kubernetes.client.openapi.models.V1TokenRequestSpec;
import io.kubernetes.client.util.ClientBuilder;
import io.kubernetes.client.util.KubeConfig;
import io.kubernetes.client.util.generic.dynamic.DynamicKubernetesApi;
import io.kubernetes.client.util.generic.options.PatchOptions;

/** A real etcd and kube-apiserver, with our CRD; one per test class is enough. */
public final class KubeApi implements AutoCloseable {
  private final KubeAPIServer server;

  private KubeApi(List<String> flags) {
    server =
        new KubeAPIServer(
            // Not by environment: KUBE_API_TEST_OFFLINE_MODE ends in a ClassCastException (7.6.1).
            KubeAPIServerConfigBuilder.anAPIServerConfig()
                .withOfflineMode(true)
                .withTestDir(directory())
                .withUpdateKubeConfig(false)
                .withApiServerFlags(flags)
                .build());
  }

  /** Where the programs are: as the build says, else where e2e/kind/cluster.sh lays them out. */
  public static String directory() {
    return System.getProperty(
        "kube-api-test.dir",
        System.getProperty("user.home") + "/.cache/migrations-operator/kube-api-test");
  }

  /** Starts the servers, without our CRD. */
  public static KubeApi bare(String... flags) {
    LenientJson.install();
    var api = new KubeApi(List.of(flags));
    api.server.start();
    return api;
  }

  /**
   * Starts the servers and applies our CRD.
   *
   * @param flags of kube-apiserver, besides those that it has anyway
   */
  public static KubeApi withMigrators(String... flags) {
    var api = bare(flags);
    api.applyCrd();
    return api;
  }

  /** Our CRD as it stands in its one file. */
  public static String crd() {
    try (var yaml = KubeApi.class.getResourceAsStream("/crd/migrators.yaml")) {
      return new String(yaml.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Applies our CRD and waits until it is served. */
  public void applyCrd() {
    // Not as a typed V1CustomResourceDefinition: that writes empty "dependencies", which the API
    // server refuses.
    var crds =
        new DynamicKubernetesApi(
            "apiextensions.k8s.io", "v1", "customresourcedefinitions", client());
    var options = new PatchOptions();
    options.setFieldManager("test");
    options.setForce(true);
    var answer =
        crds.patch(
            Vocabulary.PLURAL + "." + Vocabulary.GROUP,
            V1Patch.PATCH_FORMAT_APPLY_YAML,
            new V1Patch(crd()),
            options);
    if (!answer.isSuccess()) {
      throw new IllegalStateException("CRD refused: " + answer.getStatus());
    }
    var migrators = migrators();
    await().atMost(Duration.ofSeconds(30)).until(() -> migrators.list("default").isSuccess());
  }

  /** Migrators as raw JSON. */
  public DynamicKubernetesApi migrators() {
    return new DynamicKubernetesApi(
        Vocabulary.GROUP, Vocabulary.VERSION, Vocabulary.PLURAL, client());
  }

  /** A client with all rights. */
  public ApiClient client() {
    try {
      var config = KubeConfig.loadKubeConfig(new StringReader(server.getKubeConfigYaml()));
      return ClientBuilder.kubeconfig(config).build();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * A second kube-apiserver on the same etcd, which takes the same credentials: one that can be
   * killed while a test goes on with the first. Returns once it is ready.
   */
  public Another another() throws IOException {
    return new Another();
  }

  /** A second kube-apiserver. */
  public final class Another implements AutoCloseable {
    private final List<String> command;
    private final int port;
    private Process process;
    private int restarts;

    private Another() throws IOException {
      try (var socket = new ServerSocket(0)) {
        port = socket.getLocalPort();
      }
      var first = String.valueOf(URI.create(client().getBasePath()).getPort());
      command =
          ProcessHandle.current()
              .children()
              .map(child -> Path.of("/proc/%d/cmdline".formatted(child.pid())))
              .map(KubeApi::words)
              .filter(words -> words.contains("--secure-port") && words.contains(first))
              .findFirst()
              .orElseThrow(() -> new IllegalStateException("no child listens on " + first))
              .stream()
              .map(word -> word.equals(first) ? String.valueOf(port) : word)
              .toList();
      process = launch();
      await().atMost(Duration.ofMinutes(1)).until(this::isReady);
    }

    private Process launch() throws IOException {
      return new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start();
    }

    private boolean isReady() {
      if (!process.isAlive()) {
        throw new IllegalStateException("kube-apiserver has ended with " + process.exitValue());
      }
      var client = client().setBasePath(url());
      try (var answer =
          client
              .getHttpClient()
              .newCall(new okhttp3.Request.Builder().url(url() + "/readyz").build())
              .execute()) {
        return answer.isSuccessful();
      } catch (IOException _) {
        return false;
      }
    }

    /** Where it listens, also while it is not there. */
    public String url() {
      return "https://127.0.0.1:" + port;
    }

    /** The text of a kubeconfig with all rights that leads here. */
    public String kubeconfig() {
      return KubeApi.this.kubeconfig().replace(client().getBasePath(), url());
    }

    /** Kills it, and starts it again on its port; does not wait until it is ready. */
    public void restart() throws IOException {
      kill();
      start();
    }

    /** Without a word, as when its node fails; its port refuses connections until it starts. */
    public void kill() {
      process.destroyForcibly().onExit().join();
    }

    /** Starts it again on its port; does not wait until it is ready. */
    public void start() throws IOException {
      restarts++;
      process = launch();
    }

    /** How often it was started again. */
    public int restarts() {
      return restarts;
    }

    @Override
    public void close() {
      kill();
    }
  }

  private static List<String> words(Path commandLine) {
    try {
      return List.of(Files.readString(commandLine).split("\0"));
    } catch (IOException _) { // it has ended
      return List.of();
    }
  }

  /** The text of a kubeconfig with all rights. */
  public String kubeconfig() {
    return server.getKubeConfigYaml();
  }

  /**
   * A kubeconfig with the rights of a ServiceAccount, in a file.
   *
   * @throws ApiException when there is no such account
   */
  public Path kubeconfig(String namespace, String serviceAccount) throws ApiException, IOException {
    var request =
        new AuthenticationV1TokenRequest()
            .spec(new V1TokenRequestSpec().audiences(List.of()).expirationSeconds(3600L));
    var token =
        new CoreV1Api(client())
            .createNamespacedServiceAccountToken(serviceAccount, namespace, request)
            .execute()
            .getStatus()
            .getToken();
    var admin = KubeConfig.loadKubeConfig(new StringReader(kubeconfig()));
    return Files.writeString(
        Scratch.file("kubeconfig", ""),
        """
        apiVersion: v1
        kind: Config
        clusters: [{name: c, cluster: {server: "%s", certificate-authority: "%s"}}]
        users: [{name: u, user: {token: "%s"}}]
        contexts: [{name: x, context: {cluster: c, user: u}}]
        current-context: x
        """
            .formatted(admin.getServer(), admin.getCertificateAuthorityFile(), token));
  }

  /** The kubectl that belongs to the API server. */
  public static Path kubectl() throws IOException {
    try (var binaries =
        Files.find(Path.of(directory()), 3, (file, _) -> file.endsWith("kubectl"))) {
      return binaries.findFirst().orElseThrow();
    }
  }

  @Override
  public void close() {
    server.stop();
  }
}
