package net.coderanger.migrations.controller;

import module java.base;

import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import net.coderanger.migrations.api.KubeApi;
import net.coderanger.migrations.api.Vocabulary;

/**
 * A Migrator and a Deployment's pods, with their user, kubelet, Job controller and garbage
 * collector, who act by chance. It keeps its own account of what ran and what was let go, and
 * trusts no status.
 */
final class StressShop implements AutoCloseable {
  private static final int REPLICAS = 3;
  private static final Duration LONGEST_MIGRATION = Duration.ofMillis(1500);
  private static final Duration LONGEST_PEACE = Duration.ofSeconds(4);

  /** What is seen of the world outside: the gates that may answer, and who is told of wrongs. */
  interface Surroundings {
    /** Ports of the replicas that run. */
    List<Integer> gates();

    /** Something that must never happen has. */
    void wrong(String what);

    /** Something that may be of interest when something else goes wrong. */
    void tell(String what);
  }

  private record Revision(String image, JsonObject replicaSet) {}

  private static final class Pod {
    private final String name;
    private final Revision revision;
    private final String token;
    private volatile boolean released;
    private volatile boolean gone;
    private boolean runs;

    private Pod(String name, Revision revision, String token) {
      this.name = name;
      this.revision = revision;
      this.token = token;
    }
  }

  private record Execution(String image, String pod, Instant due, boolean succeeds) {}

  private final Cluster cluster;
  private final Random random;
  private final Surroundings surroundings;
  private final List<Revision> revisions = new ArrayList<>();
  private final Map<String, Pod> pods = new LinkedHashMap<>();
  private final Map<String, Execution> running = new HashMap<>();
  private final Set<String> started = new HashSet<>();
  private final Map<String, Integer> successes = new TreeMap<>();
  private final Set<String> migrated = ConcurrentHashMap.newKeySet();
  private Revision wanted;
  private Instant nextAction = Instant.MIN;
  private boolean peaceful;
  private boolean suspended;
  private int changes;
  private int names;

  StressShop(KubeApi kube, String name, Random random, Surroundings surroundings)
      throws ApiException {
    this.random = random;
    this.surroundings = surroundings;
    cluster = new Cluster(kube, name);
    cluster.migrator(
        "shop", "{\"selector\":{\"matchLabels\":{\"app\":\"shop\"}},\"backoffLimit\":0}");
    rollOut("shop:1");
  }

  /** One turn of everybody. */
  void goOn() throws ApiException {
    for (var job : cluster.jobs()) {
      work(job.getAsJsonObject());
    }
    replacePods();
    if (Instant.now().isAfter(nextAction)) {
      nextAction = Instant.now().plusMillis(random.nextLong(LONGEST_PEACE.toMillis()));
      userActs();
    }
  }

  /** From now on the user only mends what failed, and all migrations succeed. */
  void calmDown() throws ApiException {
    peaceful = true;
    suspend(false);
  }

  /** Kubelet and controllers of Kubernetes, as far as they concern this Job. */
  private void work(JsonObject job) throws ApiException {
    var name = Cluster.name(job);
    var execution = running.get(name);
    if (job.getAsJsonObject("metadata").has("deletionTimestamp")) {
      if (execution != null) {
        surroundings.tell("%s: %s killed while it ran".formatted(this, name));
        running.remove(name);
        cluster.deletePod(execution.pod());
      } else if (started.contains(name)) {
        remove(name + "-pod");
      }
      cluster.collectIfGarbage(job);
    } else if (execution != null && Instant.now().isAfter(execution.due())) {
      end(job, execution);
    } else if (mayStart(job) && random.nextInt(3) == 0) {
      start(job);
    }
  }

  private boolean mayStart(JsonObject job) {
    return !started.contains(Cluster.name(job))
        && !job.getAsJsonObject("spec").get("suspend").getAsBoolean();
  }

  private void start(JsonObject job) throws ApiException {
    var name = Cluster.name(job);
    var image =
        job.getAsJsonObject("metadata")
            .getAsJsonObject("annotations")
            .get(Vocabulary.IMAGE_ANNOTATION)
            .getAsString();
    if (!running.isEmpty()) {
      surroundings.wrong("%s: %s starts while %s runs".formatted(this, name, running.keySet()));
    }
    started.add(name);
    var length = random.nextLong(LONGEST_MIGRATION.toMillis());
    var succeeds = peaceful || random.nextInt(4) > 0;
    running.put(
        name, new Execution(image, name + "-pod", Instant.now().plusMillis(length), succeeds));
    surroundings.tell("%s: %s migrates %s".formatted(this, name, image));
    cluster.startPodOf(job);
  }

  private void end(JsonObject job, Execution execution) throws ApiException {
    running.remove(Cluster.name(job));
    if (execution.succeeds()) {
      migrated.add(execution.image());
      var times = successes.merge(execution.image(), 1, Integer::sum);
      // Each change of the spec and each request to run again may cost one more.
      if (times > 1 + changes) {
        surroundings.wrong(
            "%s: %s was migrated %d times, with %d changes"
                .formatted(this, execution.image(), times, changes));
      }
    }
    surroundings.tell(
        "%s: %s %s".formatted(this, Cluster.name(job), execution.succeeds() ? "ends" : "fails"));
    cluster.endPod(execution.pod(), execution.succeeds() ? 0 : 1, "");
    cluster.endJob(job, execution.succeeds());
  }

  /** As a Deployment's rolling update: new pods at once, old ones go when new ones run. */
  private void replacePods() throws ApiException {
    for (var pod : List.copyOf(pods.values())) {
      if (pod.released && !pod.runs) {
        pod.runs = true;
        cluster.podStatus(
            pod.name,
            """
            {"phase":"Running","initContainerStatuses":[{"name":"migrate-wait-shop","image":"w","imageID":"","ready":true,"restartCount":0,
              "state":{"running":null,"terminated":{"exitCode":0,"reason":"Completed"}}}],
             "containerStatuses":[{"name":"app","image":"a","imageID":"","ready":true,"restartCount":0,
              "state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]}
            """);
      }
    }
    var present = pods.values().stream().filter(pod -> pod.revision == wanted).count();
    for (var i = present; i < REPLICAS; i++) {
      makePod();
    }
    var spare = pods.values().stream().filter(pod -> pod.revision == wanted && pod.runs).count();
    for (var pod : List.copyOf(pods.values())) {
      if (pod.revision != wanted && (!pod.runs || spare-- > 0)) {
        delete(pod);
      }
    }
  }

  private void makePod() throws ApiException {
    var name = "shop-" + ++names;
    var json = cluster.waitingPod(name, wanted.replicaSet, "shop", wanted.image);
    var pod = new Pod(name, wanted, cluster.token(json, Vocabulary.AUDIENCE));
    pods.put(name, pod);
    Thread.ofVirtual().name(name).start(() -> await(pod));
  }

  /** The waiter: asks whoever answers, until it is let go. */
  private void await(Pod pod) {
    while (!pod.gone && !pod.released) {
      try {
        var gates = surroundings.gates();
        if (gates.isEmpty()) {
          Thread.sleep(100);
          continue;
        }
        // Not of the shop's own chance, which is not to depend on the order of threads.
        var gate = gates.get(ThreadLocalRandom.current().nextInt(gates.size()));
        try (var caller = new Caller(gate)) {
          caller.ask("shop", pod.token);
          for (var line = caller.line(); !line.isEmpty() && !pod.gone; line = caller.line()) {
            if (line.contains("\"released\"")) {
              letGo(pod);
              return;
            }
          }
        }
        Thread.sleep(100); // as waiters do before they ask again
      } catch (IOException | GeneralSecurityException | RuntimeException _) {
        pause();
      } catch (InterruptedException _) {
        return;
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(200);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void letGo(Pod pod) {
    if (!migrated.contains(pod.revision.image)) {
      surroundings.wrong(
          "%s: %s is let go, but %s has not been migrated"
              .formatted(this, pod.name, pod.revision.image));
    }
    surroundings.tell("%s: %s is let go".formatted(this, pod.name));
    pod.released = true;
  }

  private void delete(Pod pod) throws ApiException {
    pod.gone = true;
    pods.remove(pod.name);
    remove(pod.name);
  }

  private void remove(String pod) throws ApiException {
    try {
      cluster.deletePod(pod);
    } catch (ApiException e) {
      if (e.getCode() != 404) {
        throw e;
      }
    }
  }

  private void userActs() throws ApiException {
    if (cluster.reason("shop").equals("MigrationsFailed")) {
      change("{\"spec\":{\"args\":[\"%d\"]}}".formatted(++names));
      return;
    }
    if (peaceful) {
      return;
    }
    switch (random.nextInt(8)) {
      case 0, 1 -> rollOut("shop:" + (revisions.size() + 1));
      case 2 -> rollOut(revisions.get(random.nextInt(revisions.size())).image);
      case 3, 4 -> {
        if (!pods.isEmpty()) {
          delete(List.copyOf(pods.values()).get(random.nextInt(pods.size())));
        }
      }
      case 5 -> suspend(!suspended);
      case 6 -> change("{\"spec\":{\"args\":[\"%d\"]}}".formatted(++names));
      default ->
          change(
              "{\"metadata\":{\"annotations\":{\"%s\":\"%d\"}}}"
                  .formatted(Vocabulary.RUN_REQUESTED, ++names));
    }
  }

  private void rollOut(String image) throws ApiException {
    surroundings.tell("%s: rolls to %s".formatted(this, image));
    var number = revisions.size() + 1;
    wanted = new Revision(image, cluster.replicaSet("shop-" + number, image, number));
    revisions.add(wanted);
  }

  private void change(String mergePatch) throws ApiException {
    surroundings.tell("%s: user changes %s".formatted(this, mergePatch));
    changes++;
    cluster.patchMigrator("shop", mergePatch);
  }

  private void suspend(boolean suspend) throws ApiException {
    suspended = suspend;
    surroundings.tell("%s: suspend %s".formatted(this, suspend));
    cluster.patchMigrator("shop", "{\"spec\":{\"suspend\":%s}}".formatted(suspend));
  }

  /** What keeps it from being as it should be in the end; empty when nothing does. */
  Optional<String> unsettled() throws ApiException {
    var migrator = cluster.getMigrator("shop");
    var reason = Cluster.reason(migrator);
    if (!reason.equals("MigrationsUpToDate")) {
      return Optional.of("%s is %s".formatted(this, reason));
    }
    if (pods.size() != REPLICAS
        || !pods.values().stream().allMatch(pod -> pod.runs && pod.revision == wanted)) {
      return Optional.of("%s has pods that wait".formatted(this));
    }
    if (migrator.getAsJsonObject("metadata").has("finalizers")) {
      return Optional.of("%s keeps a finalizer".formatted(this));
    }
    var jobs = cluster.jobs().size();
    return jobs > 2 // one succeeded, one failed: the history's limits
        ? Optional.of("%s keeps %d Jobs".formatted(this, jobs))
        : Optional.empty();
  }

  int executions() {
    return started.size();
  }

  @Override
  public void close() {
    pods.values().forEach(pod -> pod.gone = true);
  }

  @Override
  public String toString() {
    return cluster.namespace;
  }
}
