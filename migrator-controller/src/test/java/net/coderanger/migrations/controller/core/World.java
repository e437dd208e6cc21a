package net.coderanger.migrations.controller.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import module java.base;

import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.models.V1LabelSelector;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.MigratedImage;
import net.coderanger.migrations.api.v1beta1.MigrationFailure;
import net.coderanger.migrations.api.v1beta1.MigrationRun;
import net.coderanger.migrations.api.v1beta1.MigratorSpec;
import net.coderanger.migrations.api.v1beta1.MigratorStatus;
import net.coderanger.migrations.controller.core.PodView.ContainerState;

/**
 * A small cluster with one Migrator: API server with resource versions, Job and Deployment
 * controllers, kubelet, garbage collector; and the operator as its shell carries out decisions,
 * which may see old caches, stop after any step, or go on with the rest of its steps much later. It
 * checks at every moment what must never happen.
 */
final class World {
  private static final String FOLLOWER = "follower";

  /** What may be seen late. */
  enum Cache {
    MIGRATOR,
    PODS,
    JOBS
  }

  record Stored(
      String uid,
      long generation,
      boolean deleting,
      boolean guarded,
      MigratorSpec spec,
      String runRequest,
      MigratorStatus status,
      long version) {}

  private record Success(String uid, String image, String migrationImage, String specHash) {}

  private static final class Conflict extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  Instant now = Scene.T0;

  /** Whether migrations cannot start, as with a mistyped image. */
  boolean hindered;

  private long versions;
  private int names;
  private Stored migrator;
  private final SequencedMap<String, PodView> pods = new LinkedHashMap<>();
  private final SequencedMap<String, JobView> jobs = new LinkedHashMap<>();
  private final Map<String, String> replicaSetOf = new HashMap<>();
  private final SequencedMap<String, Template> replicaSets = new LinkedHashMap<>();
  private final Map<String, String> current = new LinkedHashMap<>();
  private final Map<String, Long> revisions = new HashMap<>();

  private Optional<Stored> oldMigrator;
  private Map<String, PodView> oldPods;
  private Map<String, JobView> oldJobs;
  private final Set<Cache> frozen = EnumSet.noneOf(Cache.class);
  private Deque<Runnable> paused = new ArrayDeque<>();

  private final Set<String> migratedInTruth = new HashSet<>();
  private final Map<Success, Instant> successes = new HashMap<>();
  private final Set<String> requestsUsed = new HashSet<>();
  final List<String> log = new ArrayList<>();
  final List<Effect.Tell> events = new ArrayList<>();

  World() {
    create();
  }

  // ---- users ----------------------------------------------------------------------------------

  /** Creates the Migrator, unless it exists. */
  void create() {
    if (migrator == null) {
      var spec =
          new MigratorSpec()
              .selector(new V1LabelSelector().matchLabels(Scene.APP))
              .templateSelector(new V1LabelSelector().matchLabels(Scene.LENDER));
      migrator =
          new Stored(
              "migrator-" + ++names, 1, false, false, spec, "", new MigratorStatus(), ++versions);
      requestsUsed.clear();
      note("Migrator created: " + migrator.uid());
    }
  }

  /** Deletes the Migrator; it stays while a finalizer holds it. */
  void delete() {
    if (migrator != null) {
      note("Migrator deleted");
      store(
          m -> new Stored(m.uid, m.generation, true, m.guarded, m.spec, m.runRequest, m.status, 0));
      collectMigrator();
    }
  }

  /** Changes the spec. */
  void edit(Consumer<MigratorSpec> change) {
    if (migrator != null) {
      var spec = copy(migrator.spec());
      change.accept(spec);
      if (!spec.equals(migrator.spec())) {
        note("spec changed");
        store(
            m ->
                new Stored(
                    m.uid,
                    m.generation + 1,
                    m.deleting,
                    m.guarded,
                    spec,
                    m.runRequest,
                    m.status,
                    0));
        // A success that was not recorded yet does not count for another spec, nor for this one
        // again.
        successes
            .keySet()
            .removeIf(
                success ->
                    !isRecorded(success.image())
                        && !intent(migrator).specHash().equals(success.specHash()));
      }
    }
  }

  private static MigratorSpec copy(MigratorSpec spec) {
    return new MigratorSpec()
        .selector(spec.getSelector())
        .templateSelector(spec.getTemplateSelector())
        .image(spec.getImage())
        .command(spec.getCommand())
        .labels(spec.getLabels())
        .suspend(spec.getSuspend())
        .backoffLimit(spec.getBackoffLimit())
        .successfulJobsHistoryLimit(spec.getSuccessfulJobsHistoryLimit())
        .failedJobsHistoryLimit(spec.getFailedJobsHistoryLimit());
  }

  /** Asks for another run. */
  void request(String value) {
    if (migrator != null) {
      note("run requested: " + value);
      store(
          m -> new Stored(m.uid, m.generation, m.deleting, m.guarded, m.spec, value, m.status, 0));
    }
  }

  /** Somebody wipes the status, a restore from a backup perhaps. */
  void loseStatus() {
    if (migrator != null) {
      note("status lost");
      successes.clear();
      requestsUsed.clear();
      store(
          m ->
              new Stored(
                  m.uid,
                  m.generation,
                  m.deleting,
                  m.guarded,
                  m.spec,
                  m.runRequest,
                  new MigratorStatus(),
                  0));
    }
  }

  /** Rolls a Deployment out, or back; its old pods stay until the Deployment controller's turn. */
  void deploy(String deployment, String image, int replicas) {
    note("roll-out %s: %s".formatted(deployment, image));
    var revision = revisions.merge(deployment, 1L, Long::sum);
    var template = Scene.replicaSet(deployment, revision, image);
    // A roll-back gives the old ReplicaSet the newest revision.
    replicaSets.put(template.name(), template);
    current.put(deployment, template.name());
    scale(deployment, replicas);
  }

  /** As {@link #deploy(String, String, int)} for two replicas of web. */
  void deploy(String image) {
    deploy("web", image, 2);
  }

  void scale(String deployment, int replicas) {
    if (!current.containsKey(deployment)) {
      return;
    }
    var replicaSet = current.get(deployment);
    var own = podsOf(replicaSet);
    for (var i = own.size(); i < replicas; i++) {
      var labels = deployment.equals(FOLLOWER) ? Scene.APP : Scene.LENDER;
      addPod(
          Scene.pod("%s-%d".formatted(deployment, ++names), replicaSets.get(replicaSet))
              .labels(labels),
          replicaSet);
    }
    own.stream().skip(replicas).forEach(pod -> pods.remove(pod.name()));
  }

  /** A pod that nobody controls. */
  void barePod(String image) {
    var name = "bare-" + ++names;
    var template = Scene.template("Pod", name, name, 0, Scene.podTemplate("app", image));
    replicaSets.put(name, template);
    addPod(Scene.pod(name, template), name);
  }

  private void addPod(Scene.Pods pod, String replicaSet) {
    var built = pod.created(now).with(Scene.WAITER, new ContainerState.Running(now)).build();
    pods.put(built.name(), built);
    replicaSetOf.put(built.uid(), replicaSet);
  }

  /** Deletes the nth pod of the application. */
  void deleteAppPod(int n) {
    var apps = appPods();
    if (!apps.isEmpty()) {
      pods.remove(apps.get(n % apps.size()).name());
    }
  }

  /** Deletes the migration's pod, by a user or a drain. */
  void deleteRunPods() {
    runPods().forEach(pod -> deletePod(pod.name()));
  }

  // ---- Kubernetes -----------------------------------------------------------------------------

  /** The Job controller's turn. */
  void jobController() {
    for (var job : List.copyOf(jobs.values())) {
      var own = podsOfJob(job.name());
      if (job.deleting()) {
        own.forEach(pod -> deletePod(pod.name()));
        if (podsOfJob(job.name()).isEmpty()) {
          jobs.remove(job.name());
        }
      } else if (job.ended().isEmpty() && !job.suspended()) {
        if (own.isEmpty() && !podMade.contains(job.uid())) {
          podMade.add(job.uid());
          var pod = Scene.runPod(job).created(now).build();
          pods.put(pod.name(), pod);
        } else if (own.isEmpty() || own.stream().allMatch(World::isEnded)) {
          var complete = !own.isEmpty() && own.getFirst().phase().equals("Succeeded");
          jobs.put(job.name(), Scene.ended(job, complete, now));
        }
      }
    }
  }

  private final Set<String> podMade = new HashSet<>();

  /** The kubelet starts what is pending, and removes what is being deleted and has ended. */
  void kubelet() {
    for (var pod : runPods()) {
      var deleted = pod.deletion().isPresent();
      if (deleted && (isEnded(pod) || !isWorking(pod))) {
        pods.remove(pod.name());
        forgetUnrecorded(pod);
      } else if (!deleted && !hindered && pod.phase().equals("Pending")) {
        begin(pod);
      }
    }
  }

  private void begin(PodView pod) {
    var job = jobOf(pod);
    note("migration begins: %s %s".formatted(pod.name(), image(pod)));
    pods.put(
        pod.name(),
        rebuilt(pod)
            .phase("Running")
            .started(now)
            .migration(new ContainerState.Running(now))
            .build());
    var working = runPods().stream().filter(World::isWorking).toList();
    if (working.size() > 1) {
      fail("two migrations at once: " + working.stream().map(PodView::name).toList());
    }
    if (migrator != null && job.isPresent() && job.get().ownerUid().equals(migrator.uid())) {
      checkNotAgain(job.get());
    }
  }

  /** A succeeded image never runs again unless requested, or what failed of a re-run changed. */
  private void checkNotAgain(JobView job) {
    var run = Optional.ofNullable(migrator.status().getCurrent()).orElseGet(MigrationRun::new);
    var request = Objects.requireNonNullElse(run.getRunRequest(), "");
    var fresh = !request.isEmpty() && requestsUsed.add(request);
    var earlier = successes.get(success(job));
    var wasSuccessOfThisRun =
        earlier != null
            && run.getStartTime() != null
            && earlier.isAfter(run.getStartTime().toInstant());
    var isRepeat = run.getAttempt() != null && run.getAttempt() > 1 && !wasSuccessOfThisRun;
    if (earlier != null && !fresh && !isRepeat && !failedBefore.contains(job.image())) {
      fail("image %s had succeeded and runs again: %s".formatted(job.image(), job.name()));
    }
  }

  private final Set<String> failedBefore = new HashSet<>();

  private Success success(JobView job) {
    return new Success(
        job.ownerUid(),
        job.image(),
        job.annotations().get(JobView.MIGRATION_IMAGE),
        job.annotations().get(JobView.SPEC_HASH));
  }

  /** The running migration ends by itself; or as it was told to, when its pod is being deleted. */
  void exit(int code) {
    for (var pod : runPods()) {
      if (isWorking(pod)) {
        note("migration exits %d: %s".formatted(code, pod.name()));
        pods.put(pod.name(), rebuilt(pod).exited(code, now).build());
        var stopped = pod.deletion().map(d -> !now.isBefore(d.began())).orElse(false);
        if (code == 0 && !stopped) {
          migratedInTruth.add(truth(pod));
          jobOf(pod)
              .filter(this::isOfPresentSpec)
              .ifPresent(job -> successes.put(success(job), now));
        }
      }
    }
  }

  private boolean isOfPresentSpec(JobView job) {
    return migrator != null
        && intent(migrator).specHash().equals(job.annotations().get(JobView.SPEC_HASH));
  }

  /** A success that nobody could read before its pod was gone is lost, and may be repeated. */
  private void forgetUnrecorded(PodView pod) {
    jobOf(pod)
        .filter(job -> migrator == null || !isRecorded(job.image()))
        .ifPresent(job -> successes.remove(success(job)));
  }

  private boolean isRecorded(String image) {
    return Objects.requireNonNullElse(
            migrator.status().getMigratedImages(), List.<MigratedImage>of())
        .stream()
        .anyMatch(migrated -> migrated.getImage().equals(image));
  }

  /** The Deployment controller removes old pods once new ones have been released. */
  void deploymentController() {
    current.forEach(
        (deployment, replicaSet) -> {
          if (podsOf(replicaSet).stream().anyMatch(pod -> !pod.isWaiting(Scene.NAME))) {
            appPods().stream()
                .filter(
                    pod -> replicaSets.get(replicaSetOf.get(pod.uid())).group().equals(deployment))
                .filter(pod -> !replicaSetOf.get(pod.uid()).equals(replicaSet))
                .forEach(pod -> pods.remove(pod.name()));
          }
        });
  }

  private void deletePod(String name) {
    var pod = pods.get(name);
    if (pod.deletion().isEmpty()) {
      pods.put(name, rebuilt(pod).deleted(now).build());
    }
  }

  private void deleteJob(String name, String uid) {
    var job = jobs.get(name);
    if (job != null && job.uid().equals(uid) && !job.deleting()) {
      note("Job deleted: " + name);
      jobs.put(name, Scene.deleting(job));
      podsOfJob(name).forEach(pod -> deletePod(pod.name()));
    }
  }

  /** The API server removes a deleted Migrator without finalizer, the collector what it owned. */
  private void collectMigrator() {
    if (migrator != null && migrator.deleting() && !migrator.guarded()) {
      note("Migrator gone");
      var uid = migrator.uid();
      migrator = null;
      for (var job : List.copyOf(jobs.values())) {
        if (job.ownerUid().equals(uid)) {
          podsOfJob(job.name()).forEach(pod -> deletePod(pod.name()));
          jobs.remove(job.name());
        }
      }
    }
  }

  // ---- the operator ---------------------------------------------------------------------------

  /** Stops a cache's watch: it shows what it shows now until {@link #thaw}. */
  void freeze(Cache cache) {
    if (frozen.add(cache)) {
      switch (cache) {
        case MIGRATOR -> oldMigrator = Optional.ofNullable(migrator);
        case PODS -> oldPods = Map.copyOf(pods);
        case JOBS -> oldJobs = Map.copyOf(jobs);
      }
    }
  }

  void thaw() {
    frozen.clear();
  }

  /** One look, fully carried out; answers whether it is to look again at once. */
  boolean reconcile() {
    return reconcile(Integer.MAX_VALUE, false);
  }

  /**
   * One look of which only so many steps are carried out.
   *
   * @param goesOnLater whether the rest is done at {@link #resume}, by a leader that was paused
   */
  boolean reconcile(int steps, boolean goesOnLater) {
    var cached = frozen.contains(Cache.MIGRATOR) ? oldMigrator : Optional.ofNullable(migrator);
    if (cached.isEmpty()) {
      return false;
    }
    var decision = decide(cached(cached.get()));
    var queue = new ArrayDeque<Runnable>();
    carryOut(cached.get(), decision, false, queue);
    var left = run(queue, steps);
    if (goesOnLater) {
      paused = left;
    }
    return decision.again().filter(Duration::isZero).isPresent();
  }

  /** What a paused leader had left to do. */
  void resume() {
    run(paused, Integer.MAX_VALUE);
    paused = new ArrayDeque<>();
  }

  /** Looks until there is nothing more to do at once. */
  void reconcileUntilQuiet() {
    for (var i = 0; i < 12; i++) {
      if (!reconcile() && isQuiet()) {
        return;
      }
    }
    fail("the decisions do not converge");
  }

  /** Whether deciding again yields no effect and the same status. */
  boolean isQuiet() {
    if (migrator == null) {
      return true;
    }
    var decision = decide(live());
    return decision.effects().isEmpty() && decision.status().equals(migrator.status());
  }

  private static Decision decide(Observed seen) {
    var decision = Decider.decide(seen);
    assertEquals(decision, Decider.decide(seen), "decide() is not deterministic");
    return decision;
  }

  private static Deque<Runnable> run(Deque<Runnable> steps, int most) {
    try {
      for (var i = 0; i < most && !steps.isEmpty(); i++) {
        steps.poll().run();
      }
      return steps;
    } catch (Conflict _) {
      return new ArrayDeque<>(); // decided again from the start
    }
  }

  private void carryOut(Stored seen, Decision decision, boolean live, Deque<Runnable> steps) {
    if (decision.confirm() && !live) {
      steps.add(
          () -> {
            if (migrator != null && migrator.uid().equals(seen.uid())) {
              carryOut(migrator, decide(live()), true, steps);
            }
          });
      return;
    }
    var version = new AtomicLong(seen.version());
    if (decision.effects().contains(new Effect.Guard())) {
      steps.add(() -> guard(version, true));
    }
    var start = decision.start();
    start.ifPresent(found -> steps.add(() -> createJob(found.job())));
    if (!decision.status().equals(seen.status())) {
      steps.add(() -> writeStatus(version, decision.status()));
    }
    start.ifPresent(found -> steps.add(() -> unsuspend(found.jobName(), "uid-" + found.jobName())));
    for (var effect : decision.effects()) {
      switch (effect) {
        case Effect.Guard _, Effect.Start _ -> {}
        case Effect.Unguard _ -> steps.add(() -> guard(version, false));
        case Effect.Unsuspend(var job, var uid) -> steps.add(() -> unsuspend(job, uid));
        case Effect.Delete(var job, var uid) -> steps.add(() -> deleteJob(job, uid));
        case Effect.Tell tell -> steps.add(() -> events.add(tell));
      }
    }
  }

  private void guard(AtomicLong version, boolean on) {
    checkVersion(version);
    store(m -> new Stored(m.uid, m.generation, m.deleting, on, m.spec, m.runRequest, m.status, 0));
    version.set(versions);
    if (!on && runPods().stream().anyMatch(pod -> isWorking(pod) && isOurs(pod))) {
      fail("the guard is off while a migration works");
    }
    collectMigrator();
  }

  private boolean isOurs(PodView pod) {
    return jobOf(pod).filter(job -> job.ownerUid().equals(migrator.uid())).isPresent();
  }

  private void writeStatus(AtomicLong version, MigratorStatus status) {
    checkVersion(version);
    Objects.requireNonNullElse(status.getFailures(), List.<MigrationFailure>of())
        .forEach(failure -> failedBefore.add(failure.getImage()));
    store(
        m ->
            new Stored(
                m.uid, m.generation, m.deleting, m.guarded, m.spec, m.runRequest, status, 0));
    version.set(versions);
  }

  private void checkVersion(AtomicLong version) {
    if (migrator == null || migrator.version() != version.get()) {
      throw new Conflict();
    }
  }

  private void createJob(JsonObject job) {
    var view = Scene.view(job, migrator == null ? "" : ownerUid(job));
    if (jobs.containsKey(view.name())) {
      throw new Conflict();
    }
    note("Job created: %s %s".formatted(view.name(), view.image()));
    var created = Scene.suspended(view);
    if (migrator != null && migrator.uid().equals(created.ownerUid())) {
      jobs.put(created.name(), created);
    } // else the collector removes it at once
  }

  private static String ownerUid(JsonObject job) {
    return job.getAsJsonObject("metadata")
        .getAsJsonArray("ownerReferences")
        .get(0)
        .getAsJsonObject()
        .get("uid")
        .getAsString();
  }

  private void unsuspend(String name, String uid) {
    var job = jobs.get(name);
    if (job == null || !job.uid().equals(uid)) {
      throw new Conflict();
    }
    jobs.put(
        name,
        new JobView(
            name,
            uid,
            job.ownerUid(),
            job.annotations(),
            job.created(),
            job.deleting(),
            false,
            job.ended(),
            job.complete()));
  }

  /** The gate's turn: every waiter asks. */
  void gate() {
    for (var pod : appPods()) {
      if (pod.isWaiting(Scene.NAME) && verdict(pod) instanceof Verdict.Released) {
        checkReleased(pod);
        pods.put(
            pod.name(),
            rebuilt(pod)
                .phase("Running")
                .with(Scene.WAITER, new ContainerState.Terminated(0, "Completed", "", now))
                .build());
      }
    }
  }

  private void checkReleased(PodView pod) {
    var image = pod.images().get("app");
    var cached = frozen.contains(Cache.MIGRATOR) ? oldMigrator.orElseThrow() : migrator;
    var migration = Objects.requireNonNullElse(cached.spec().getImage(), image);
    if (image.startsWith("shop:") && !migratedInTruth.contains(image + " " + migration)) {
      fail("pod %s of unmigrated image %s is released".formatted(pod.name(), image));
    }
  }

  /** What the gate tells this pod. */
  Verdict verdict(PodView pod) {
    var cached = frozen.contains(Cache.MIGRATOR) ? oldMigrator : Optional.ofNullable(migrator);
    return cached.isEmpty()
        ? Verdict.withoutMigrator(Scene.NAME)
        : Verdict.of(cached(cached.get()), pod);
  }

  // ---- what is seen ---------------------------------------------------------------------------

  private Observed cached(Stored stored) {
    return observed(
        stored,
        frozen.contains(Cache.PODS) ? oldPods.values() : pods.values(),
        frozen.contains(Cache.JOBS) ? oldJobs.values() : jobs.values());
  }

  /** Migrator, Jobs and run pods read live, the application's pods from the cache. */
  private Observed live() {
    var apps = frozen.contains(Cache.PODS) ? oldPods.values() : pods.values();
    return observed(
        migrator,
        Stream.concat(apps.stream().filter(pod -> !pod.isRunPod()), runPods().stream()).toList(),
        jobs.values());
  }

  private Observed observed(Stored stored, Collection<PodView> pods, Collection<JobView> jobs) {
    var templates = new HashMap<String, Template>();
    pods.stream()
        .filter(pod -> !pod.isRunPod())
        .forEach(pod -> templates.put(pod.uid(), replicaSets.get(replicaSetOf.get(pod.uid()))));
    return new Observed(
        intent(stored),
        stored.status(),
        List.copyOf(pods),
        templates,
        List.copyOf(jobs),
        Map.of(),
        now);
  }

  private static Intent intent(Stored stored) {
    var meta =
        new V1ObjectMeta()
            .namespace("default")
            .name(Scene.NAME)
            .uid(stored.uid())
            .generation(stored.generation());
    if (stored.deleting()) {
      meta.deletionTimestamp(Draft.time(Scene.T0));
    }
    if (stored.guarded()) {
      meta.finalizers(List.of(Vocabulary.FINALIZER));
    }
    if (!stored.runRequest().isEmpty()) {
      meta.annotations(Map.of(Vocabulary.RUN_REQUESTED, stored.runRequest()));
    }
    return Intent.of(
        new net.coderanger.migrations.api.v1beta1.Migrator().metadata(meta).spec(stored.spec()));
  }

  private void store(UnaryOperator<Stored> change) {
    var m = change.apply(migrator);
    migrator =
        new Stored(
            m.uid, m.generation, m.deleting, m.guarded, m.spec, m.runRequest, m.status, ++versions);
  }

  Optional<Stored> migrator() {
    return Optional.ofNullable(migrator);
  }

  MigratorStatus status() {
    return migrator.status();
  }

  List<JobView> jobs() {
    return List.copyOf(jobs.values());
  }

  List<PodView> appPods() {
    return pods.values().stream().filter(pod -> !pod.isRunPod()).toList();
  }

  List<PodView> runPods() {
    return pods.values().stream().filter(PodView::isRunPod).toList();
  }

  /** How many pods of an image have been released. */
  long released(String image) {
    return appPods().stream()
        .filter(pod -> pod.images().containsValue(image) && !pod.isWaiting(Scene.NAME))
        .count();
  }

  /** How often a migration of this image has begun. */
  long runs(String image) {
    return log.stream()
        .filter(line -> line.contains("migration begins") && line.endsWith(" " + image))
        .count();
  }

  private List<PodView> podsOf(String replicaSet) {
    return appPods().stream()
        .filter(pod -> replicaSet.equals(replicaSetOf.get(pod.uid())))
        .toList();
  }

  private List<PodView> podsOfJob(String job) {
    return runPods().stream().filter(pod -> pod.jobName().equals(job)).toList();
  }

  private Optional<JobView> jobOf(PodView pod) {
    return Optional.ofNullable(jobs.get(pod.jobName()));
  }

  private String image(PodView pod) {
    return jobOf(pod).map(JobView::image).orElse("?");
  }

  private String truth(PodView pod) {
    return jobOf(pod)
        .map(job -> job.image() + " " + job.annotations().get(JobView.MIGRATION_IMAGE))
        .orElse("?");
  }

  private static boolean isWorking(PodView pod) {
    return pod.states().get(Vocabulary.MIGRATION_CONTAINER) instanceof ContainerState.Running;
  }

  private static boolean isEnded(PodView pod) {
    return pod.states().get(Vocabulary.MIGRATION_CONTAINER) instanceof ContainerState.Terminated;
  }

  private static Scene.Pods rebuilt(PodView pod) {
    var copy =
        new Scene.Pods(pod.name())
            .labels(pod.labels())
            .created(pod.created())
            .controller(pod.controller().orElse(null))
            .phase(pod.phase())
            .started(pod.started().orElse(null))
            .images(pod.images())
            .initContainers(pod.initContainers().toArray(String[]::new));
    pod.deletion().ifPresent(deletion -> copy.deleted(deletion.began()));
    pod.states().forEach(copy::with);
    return copy;
  }

  private void note(String what) {
    log.add(now + " " + what);
  }

  // ---- time -----------------------------------------------------------------------------------

  /** Everybody has a turn, a second passes. */
  void turn() {
    reconcileUntilQuiet();
    jobController();
    kubelet();
    reconcileUntilQuiet();
    gate();
    deploymentController();
    now = now.plusSeconds(1);
  }

  /** As {@link #turn}, where caches that are behind may keep the decisions from converging. */
  void calmTurn() {
    if (frozen.isEmpty()) {
      turn();
    } else {
      reconcile();
      jobController();
      kubelet();
      gate();
    }
  }

  void turns(int n) {
    for (var i = 0; i < n; i++) {
      turn();
    }
  }

  /** Turns in which migrations end so at once, until nothing changes any more. */
  void settle(int code) {
    var still = 0;
    for (var i = 0; i < 400 && still < 3; i++) {
      var before = List.of(Optional.ofNullable(migrator), Map.copyOf(pods), Map.copyOf(jobs));
      turn();
      now = now.plusSeconds(20);
      exit(code);
      reconcileUntilQuiet();
      still =
          before.equals(List.of(Optional.ofNullable(migrator), Map.copyOf(pods), Map.copyOf(jobs)))
              ? still + 1
              : 0;
    }
    assertTrue(still >= 3, "it never settles");
  }

  /** Deploys and lets the migration succeed. */
  void deployAndMigrate(String image) {
    deploy(image);
    settle(0);
  }
}
