package net.coderanger.migrations.e2e;

import module java.base;

import com.google.gson.JsonObject;

/**
 * Fifty pods a second, admitted by everything and stored by nobody (dry run), and what came of
 * them. A machine that can't carry as many gets fewer: only so many are under way at a time, for a
 * queue before a starved API server would measure the machine.
 */
final class Load implements AutoCloseable {
  private static final Duration BETWEEN_PODS = Duration.ofMillis(20);

  private static final int UNDER_WAY = 8;

  private static final int MOST_TOLD = 20;

  private final Shop shop;
  private final long failedOpenBefore;
  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private final Semaphore mayBegin = new Semaphore(UNDER_WAY);
  private final Instant begin = Instant.now();
  private final AtomicInteger made = new AtomicInteger();
  private final List<String> troubles = Collections.synchronizedList(new ArrayList<>());

  /** Begins at once. The shop has a Migrator "shop" that the injector knows. */
  Load(Shop shop) {
    this.shop = shop;
    failedOpenBefore = failedOpen();
    clock.scheduleAtFixedRate(
        this::makeIfCarried, 0, BETWEEN_PODS.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void makeIfCarried() {
    if (mayBegin.tryAcquire()) {
      callers.execute(this::make);
    }
  }

  private void make() {
    try {
      var answer = shop.dryRun();
      var number = made.incrementAndGet();
      if (!isGated(answer)) {
        troubles.add("%s: not gated: pod %d".formatted(Instant.now(), number));
      }
    } catch (Exception e) {
      troubles.add("%s: %s".formatted(Instant.now(), e));
    } finally {
      mayBegin.release();
    }
  }

  /** Whether a pod that the API server answered with has the shop's waiter. */
  static boolean isGated(JsonObject pod) {
    var containers = pod.getAsJsonObject("spec").getAsJsonArray("initContainers");
    return containers != null && containers.toString().contains("\"migrate-wait-shop\"");
  }

  /** How many a second this machine could carry. */
  long rate() {
    return Math.round(made.get() * 1000.0 / begin.until(Instant.now()).toMillis());
  }

  /** Pods that were made until now. */
  int made() {
    return made.get();
  }

  /**
   * The last pods that were refused or not gated, and what the API server itself counted as let
   * through.
   */
  List<String> troubles() {
    var all = new ArrayList<>(List.copyOf(troubles));
    var failedOpen = failedOpen() - failedOpenBefore;
    if (failedOpen != 0) {
      all.add("the API server let %d reviews of ours fail open".formatted(failedOpen));
      all.addAll(reasons());
    }
    return all.size() > MOST_TOLD ? all.subList(all.size() - MOST_TOLD, all.size()) : all;
  }

  /** Why, in the API server's words, each once; of this load and of those before it. */
  private Set<String> reasons() {
    return shop.lab
        .kubectl("", "-n", "kube-system", "logs", "--tail=-1", "-l", "component=kube-apiserver")
        .lines()
        .filter(line -> line.contains("failing open"))
        .map(line -> line.substring(line.indexOf("failed calling webhook")))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Reviews that our webhook did not answer in time, as the API server counts them. */
  private long failedOpen() {
    return shop.lab
        .kubectl("", "get", "--raw", "/metrics")
        .lines()
        .filter(line -> line.startsWith("apiserver_admission_webhook_fail_open_count{"))
        .filter(line -> line.contains("migrations.coderanger.net"))
        .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .sum();
  }

  @Override
  public void close() {
    clock.close();
    callers.close();
  }
}
