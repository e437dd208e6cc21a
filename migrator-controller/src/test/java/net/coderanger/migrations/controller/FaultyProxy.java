package net.coderanger.migrations.controller;

import module java.base;
import module jdk.httpserver;

import net.coderanger.migrations.api.KubeApi;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

/** Stands between a controller and its API server, and does as networks and API servers do. */
final class FaultyProxy implements AutoCloseable {
  /** Hop-by-hop, or set by the client itself. */
  private static final Set<String> NOT_PASSED_ON =
      Set.of(
          "connection",
          "host",
          "content-length",
          "transfer-encoding",
          "upgrade",
          "accept-encoding");

  private static final String EXPIRED =
      """
      {"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":410,"reason":"Expired","message":"too old resource version"}}
      """;

  private final HttpServer server;
  private final HttpUrl target;
  private final OkHttpClient client;
  private final Random random;
  private final Set<Response> watches = ConcurrentHashMap.newKeySet();
  private final Map<String, Integer> faults = new ConcurrentSkipListMap<>();
  private final Queue<Change> changes = new ConcurrentLinkedQueue<>();

  /** How many of a hundred calls are answered with an error instead of being done. */
  private volatile int refused;

  /** How many of a hundred calls are done, and their answers lost. */
  private volatile int unanswered;

  private volatile boolean away;
  private volatile boolean expired;

  FaultyProxy(KubeApi kube, Random random) throws IOException {
    this(kube, kube.client().getBasePath(), random);
  }

  /**
   * @param target where its calls go, which those of the test need not
   */
  FaultyProxy(KubeApi kube, String target, Random random) throws IOException {
    this.random = random;
    this.target = HttpUrl.get(target);
    client =
        kube.client()
            .getHttpClient()
            .newBuilder()
            .readTimeout(Duration.ZERO)
            .retryOnConnectionFailure(false)
            .build();
    client.dispatcher().setMaxRequestsPerHost(1000);
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1000);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::handle);
    server.start();
  }

  /** A kubeconfig that leads here. */
  String kubeconfig() {
    return """
    apiVersion: v1
    kind: Config
    clusters: [{name: c, cluster: {server: "http://127.0.0.1:%d"}}]
    users: [{name: u, user: {}}]
    contexts: [{name: x, context: {cluster: c, user: u}}]
    current-context: x
    """
        .formatted(server.getAddress().getPort());
  }

  /** From now on so many of a hundred calls fail, the one way or the other. */
  void fail(int refused, int unanswered) {
    this.refused = refused;
    this.unanswered = unanswered;
  }

  /** Whether nobody answers at all. */
  void away(boolean away) {
    this.away = away;
    if (away) {
      endWatches();
    }
  }

  /** Ends all watches; each that is begun now is told that its version is too old, once. */
  void expireWatches() {
    expired = true;
    endWatches();
  }

  private void endWatches() {
    watches.forEach(Response::close);
  }

  /** What was done to how many calls. */
  Map<String, Integer> faults() {
    return faults;
  }

  /**
   * A call that changed something.
   *
   * @param nanos when it was answered, by System.nanoTime
   */
  record Change(long nanos, String call) {
    /** Whether only the leader may make it. */
    boolean isOfTheLeader() {
      return call.contains("/jobs") || call.contains("/migrators/");
    }
  }

  /** What changed something by now: every call besides reads that succeeded. */
  List<Change> changes() {
    return List.copyOf(changes);
  }

  private void handle(HttpExchange exchange) throws IOException {
    var uri = exchange.getRequestURI().toString();
    var watch = uri.contains("watch=true");
    if (away) {
      fault("away", exchange);
      return;
    }
    if (watch && expired) {
      expired = false;
      faults.merge("watch expired", 1, Integer::sum);
      send(exchange, 200, EXPIRED);
      return;
    }
    if (isOneOf(refused)) {
      var status = List.of(429, 500, 503, 504).get(random.nextInt(4));
      faults.merge("answered " + status, 1, Integer::sum);
      send(
          exchange,
          status,
          "{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":%d}".formatted(status));
      return;
    }
    try (var answer = client.newCall(request(exchange, uri)).execute()) {
      if (!exchange.getRequestMethod().equals("GET") && answer.isSuccessful()) {
        changes.add(
            new Change(
                System.nanoTime(),
                exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath()));
      }
      if (away || isOneOf(unanswered)) {
        fault("done, but not answered", exchange);
        return;
      }
      if (watch) {
        watches.add(answer);
      }
      pass(answer, exchange);
    } catch (IOException _) { // of the API server, or of him who asks: the connection ends
      exchange.close();
    }
  }

  private Request request(HttpExchange exchange, String uri) throws IOException {
    var url = Objects.requireNonNull(target.resolve(uri));
    var body = exchange.getRequestBody().readAllBytes();
    var method = exchange.getRequestMethod();
    var request =
        new Request.Builder()
            .url(url)
            .method(
                method, body.length == 0 && method.equals("GET") ? null : RequestBody.create(body));
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) -> {
              if (!NOT_PASSED_ON.contains(name.toLowerCase(Locale.ROOT))) {
                values.forEach(value -> request.addHeader(name, value));
              }
            });
    return request.build();
  }

  private void pass(Response answer, HttpExchange exchange) throws IOException {
    var type = answer.header("Content-Type");
    if (type != null) {
      exchange.getResponseHeaders().set("Content-Type", type);
    }
    exchange.sendResponseHeaders(answer.code(), 0);
    try (var out = exchange.getResponseBody()) {
      var in = answer.body().byteStream();
      var buffer = new byte[8192];
      for (var count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        out.write(buffer, 0, count);
        out.flush();
      }
    } finally {
      watches.remove(answer);
      exchange.close();
    }
  }

  private static void send(HttpExchange exchange, int status, String json) throws IOException {
    var bytes = json.getBytes(StandardCharsets.UTF_8);
    exchange.getRequestBody().readAllBytes();
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private void fault(String what, HttpExchange exchange) {
    faults.merge(what, 1, Integer::sum);
    exchange.close(); // without an answer: the connection ends
  }

  private boolean isOneOf(int percent) {
    return percent > 0 && random.nextInt(100) < percent;
  }

  @Override
  public void close() {
    endWatches();
    server.stop(0);
    client.dispatcher().executorService().shutdown();
    client.connectionPool().evictAll();
  }
}
