package net.coderanger.migrations.controller;

import static org.awaitility.Awaitility.await;

import module java.base;

import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.api.KubeApi;

/**
 * Two replicas of the controller behind a proxy, started again when they end, as a kubelet does.
 */
final class StressReplicas implements AutoCloseable {
  private static final List<String> NAMES = List.of("one", "two");
  private static final Duration PAUSE = Duration.ofSeconds(5); // longer than their lease

  private static final Duration LONGEST_JUMP = Duration.ofHours(1);

  private final Cluster leases;
  private final FaultyProxy proxy;
  private final Consumer<String> told;
  private final Map<String, Replica> running = new ConcurrentHashMap<>();
  private final Map<String, Instant> pausedUntil = new ConcurrentHashMap<>();
  private final Set<String> starting = ConcurrentHashMap.newKeySet();
  private final Queue<Path> logs = new ConcurrentLinkedQueue<>();
  private volatile boolean closed;
  private int killed;
  private int paused;
  private int ended;
  private int clocksSet;

  StressReplicas(KubeApi kube, FaultyProxy proxy, Consumer<String> told) throws ApiException {
    this.leases = new Cluster(kube, "leases");
    this.proxy = proxy;
    this.told = told;
    NAMES.forEach(this::start);
  }

  /** In the background: it is not ready at once, and while the API server is away not at all. */
  private void start(String name) {
    if (!starting.add(name)) {
      return;
    }
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                var replica = Replica.withClock(proxy.kubeconfig(), name);
                running.put(name, replica);
                logs.add(replica.log);
                if (closed) {
                  replica.close();
                }
              } catch (IOException | RuntimeException e) {
                told.accept("%s does not start: %s".formatted(name, e));
              } finally {
                starting.remove(name);
              }
            });
  }

  /** Ports of those that run; a paused one's too, since nobody knows. */
  List<Integer> gates() {
    return running.values().stream().map(replica -> replica.port).toList();
  }

  void restartWhatEnded() throws IOException {
    for (var entry : pausedUntil.entrySet()) {
      if (Instant.now().isAfter(entry.getValue())) {
        resume(entry.getKey());
      }
    }
    for (var name : NAMES) {
      var replica = running.get(name);
      if (replica != null && !replica.isAlive()) {
        told.accept(name + " has ended");
        ended++;
        running.remove(name);
        pausedUntil.remove(name);
      }
      if (!running.containsKey(name)) {
        start(name);
      }
    }
  }

  void kill(Random random) {
    var name = NAMES.get(random.nextInt(NAMES.size()));
    var replica = running.remove(name);
    if (replica != null) {
      pausedUntil.remove(name);
      replica.kill();
      killed++;
    }
  }

  /** Past its lease, so that the other one leads before it wakes. */
  void pauseLeader() throws IOException {
    var name = leader();
    var replica = running.get(name);
    if (replica != null && !pausedUntil.containsKey(name)) {
      replica.signal("STOP");
      pausedUntil.put(name, Instant.now().plus(PAUSE));
      paused++;
    }
  }

  /** Sets the clock of the leader, or of the other one, forward or back; answers what it did. */
  String setClock(Random random) throws IOException {
    var name = NAMES.get(random.nextInt(NAMES.size()));
    var seconds = random.nextInt((int) -LONGEST_JUMP.toSeconds(), (int) LONGEST_JUMP.toSeconds());
    var replica = running.get(name);
    if (replica == null) {
      return "no clock is set, since %s is not there".formatted(name);
    }
    replica.setClock(Duration.ofSeconds(seconds));
    clocksSet++;
    return "the clock of %s is set by %d s".formatted(name, seconds);
  }

  /** All clocks go right. */
  void setClocksRight() throws IOException {
    for (var replica : running.values()) {
      replica.setClock(Duration.ZERO);
    }
  }

  void resumeAll() throws IOException {
    for (var name : List.copyOf(pausedUntil.keySet())) {
      resume(name);
    }
  }

  private void resume(String name) throws IOException {
    pausedUntil.remove(name);
    var replica = running.get(name);
    if (replica != null) {
      told.accept(name + " wakes");
      replica.signal("CONT");
    }
  }

  /** Who leads, by the Lease; empty while there is none. */
  private String leader() {
    try {
      return leases
          .call(
              "GET",
              "/apis/coordination.k8s.io/v1/namespaces/default/leases/migrator-controller",
              null)
          .getAsJsonObject("spec")
          .get("holderIdentity")
          .getAsString();
    } catch (ApiException _) {
      return "";
    }
  }

  /** What each process wrote to its log, since the first. */
  List<List<String>> allLogs() throws IOException {
    var all = new ArrayList<List<String>>();
    for (var log : logs) {
      all.add(Files.readAllLines(log));
    }
    return all;
  }

  int killed() {
    return killed;
  }

  int paused() {
    return paused;
  }

  int ended() {
    return ended;
  }

  int clocksSet() {
    return clocksSet;
  }

  /** The last lines of the last logs. */
  String logs() throws IOException {
    var text = new StringBuilder();
    for (var log : logs.stream().skip(Math.max(0, logs.size() - 2)).toList()) {
      var lines = Files.readAllLines(log);
      text.append(log).append('\n');
      lines.stream()
          .skip(Math.max(0, lines.size() - 40))
          .forEach(it -> text.append(it).append('\n'));
    }
    return text.toString();
  }

  @Override
  public void close() {
    closed = true;
    running.values().forEach(Replica::close);
    // Who is being started is closed once it is there, and would outlive this JVM.
    await().atMost(Replica.START.plusSeconds(10)).until(starting::isEmpty);
  }
}
