package net.coderanger.migrations.controller.shell;

import module java.base;

import com.google.gson.JsonObject;
import io.kubernetes.client.openapi.ApiException;
import io.kubernetes.client.openapi.JSON;
import net.coderanger.migrations.api.Names;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.Migrator;
import net.coderanger.migrations.api.v1beta1.MigratorStatus;
import net.coderanger.migrations.controller.core.Intent;
import net.coderanger.migrations.controller.core.JobView;
import net.coderanger.migrations.controller.core.Observed;
import net.coderanger.migrations.controller.core.PodView;
import net.coderanger.migrations.controller.core.Template;

/** Gathers what a decision depends on. */
public final class Observation {
  /** A Migrator as it is now, and what a decision about it depends on. */
  record Live(Migrator migrator, Observed observed) {}

  private static final int LONGEST_JOB_NAME = 63;

  private final Api api;
  private final Caches caches;
  private final Templates templates;
  private final Claims claims;
  private final Hindrances hindrances;
  private final Clock clock;

  /** Observes through these. */
  public Observation(Api api, Caches caches, Clock clock) {
    this.api = api;
    this.caches = caches;
    this.clock = clock;
    templates = new Templates(api, caches);
    claims = new Claims(api);
    hindrances = new Hindrances(api);
  }

  /**
   * What the caches show.
   *
   * @throws ApiException when something that is not cached cannot be read
   */
  public Observed cached(Migrator migrator) throws ApiException {
    var intent = Intent.of(migrator);
    var jobs =
        caches.jobs(intent.namespace()).stream()
            .filter(job -> isRunOf(intent, Views.orEmpty(job.metadata.getAnnotations())))
            .map(Views::job)
            .toList();
    var runPods =
        caches.pods(intent.namespace()).stream()
            .filter(pod -> isRunOf(intent, Views.orEmpty(pod.metadata.getAnnotations())))
            .toList();
    return observed(migrator, intent, jobs, runPods);
  }

  /**
   * The same with Migrator, Jobs and run pods read live, for a decision that cannot be taken back;
   * empty when the Migrator is gone or another one of its name.
   */
  Optional<Live> live(Migrator cached) throws ApiException {
    var meta = cached.getMetadata();
    // The Migrator first: what another leader writes after that is noticed by its version.
    var live = api.find(Paths.migrator(meta.getNamespace(), meta.getName()));
    if (live.isEmpty()) {
      return Optional.empty();
    }
    var migrator = JSON.getGson().fromJson(live.get(), Migrator.class);
    if (!migrator.getMetadata().getUid().equals(meta.getUid())) {
      return Optional.empty();
    }
    var selector = Vocabulary.RUN_LABEL + "=" + Names.label(meta.getName());
    var jobs =
        Stream.concat(
                items(api.list(Paths.jobs(meta.getNamespace()), selector), WatchedJob.class),
                jobOfTheOriginal(meta.getNamespace(), meta.getName()))
            .map(Views::job)
            .toList();
    var runPods =
        items(api.list(Paths.pods(meta.getNamespace()), selector), WatchedPod.class).toList();
    return Optional.of(new Live(migrator, observed(migrator, Intent.of(migrator), jobs, runPods)));
  }

  /**
   * The Job that the original operator left, if it did: it may still run, and has none of our
   * labels. Source: coderanger/migrations-operator, components/migrations.go.
   */
  private Stream<WatchedJob> jobOfTheOriginal(String namespace, String migrator)
      throws ApiException {
    var name = migrator + "-migrations";
    return name.length() > LONGEST_JOB_NAME
        ? Stream.of()
        : api
            .find(Paths.job(namespace, name))
            .map(json -> JSON.getGson().fromJson(json, WatchedJob.class))
            .filter(
                job -> !Views.orEmpty(job.metadata.getLabels()).containsKey(Vocabulary.RUN_LABEL))
            .stream();
  }

  /**
   * What the caches show, with one pod as given: it may be newer than the caches, or not in them
   * yet.
   */
  public Observed including(Migrator migrator, PodView pod) throws ApiException {
    var seen = cached(migrator);
    var pods = new ArrayList<>(seen.pods());
    pods.removeIf(other -> other.uid().equals(pod.uid()));
    pods.add(pod);
    var found = new HashMap<>(seen.templates());
    if (!found.containsKey(pod.uid()) && seen.intent().templateSelector().test(pod.labels())) {
      templateOf(seen.intent(), pod).ifPresent(template -> found.put(pod.uid(), template));
    }
    return new Observed(
        seen.intent(),
        seen.status(),
        pods,
        found,
        seen.jobs(),
        seen.refusals(),
        seen.claimNodes(),
        seen.now());
  }

  /** One pod as the cache has it; empty when it is not there or another one of its name. */
  public Optional<PodView> cachedPod(String namespace, String name, String uid) {
    return caches
        .pod(namespace, name)
        .filter(pod -> uid.equals(pod.metadata.getUid()))
        .map(Views::pod);
  }

  /** One pod read live, as the gate judges it; empty when it is gone. */
  public Optional<PodView> livePod(String namespace, String name) throws ApiException {
    return api.find(Paths.pod(namespace, name))
        .map(json -> Views.pod(JSON.getGson().fromJson(json, WatchedPod.class)));
  }

  private Observed observed(
      Migrator migrator, Intent intent, List<JobView> jobs, List<WatchedPod> watchedRunPods)
      throws ApiException {
    var runPods = watchedRunPods.stream().map(Views::pod).toList();
    var pods = new ArrayList<>(runPods);
    var found = new HashMap<String, Template>();
    var nodes = new HashMap<String, String>();
    for (var watched : caches.pods(intent.namespace())) {
      if (intent.selector().test(Views.orEmpty(watched.metadata.getLabels()))) {
        var pod = Views.pod(watched);
        if (!pod.isRunPod() && pod.isLive() && !pod.isExempt()) {
          pods.add(pod);
          if (intent.templateSelector().test(pod.labels())) {
            templateOf(intent, pod).ifPresent(template -> found.put(pod.uid(), template));
            if (pod.isWaiting(intent.name())) {
              nodes.putAll(claims.nodes(intent.namespace(), watched));
            }
          }
        }
      }
    }
    var status = Objects.requireNonNullElseGet(migrator.getStatus(), MigratorStatus::new);
    return new Observed(
        intent,
        status,
        pods,
        found,
        jobs,
        hindrances.of(intent.namespace(), status, jobs, runPods, clock.instant()),
        nodes,
        clock.instant());
  }

  private Optional<Template> templateOf(Intent intent, PodView pod) throws ApiException {
    try {
      return Optional.of(templates.of(intent.namespace(), pod));
    } catch (ApiException e) {
      if (e.getCode() == 404) { // the pod itself has gone meanwhile
        return Optional.empty();
      }
      throw e;
    }
  }

  private static boolean isRunOf(Intent intent, Map<String, String> annotations) {
    return intent.name().equals(annotations.get(Vocabulary.MIGRATOR_ANNOTATION));
  }

  private static <T> Stream<T> items(JsonObject list, Class<T> type) {
    return StreamSupport.stream(list.getAsJsonArray("items").spliterator(), false)
        .map(item -> JSON.getGson().fromJson(item, type));
  }
}
