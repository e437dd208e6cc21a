package net.coderanger.migrations.controller.core;

import module java.base;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.kubernetes.client.openapi.models.V1Condition;
import io.kubernetes.client.openapi.models.V1LabelSelector;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import net.coderanger.migrations.api.Names;
import net.coderanger.migrations.api.Vocabulary;
import net.coderanger.migrations.api.v1beta1.MigratedImage;
import net.coderanger.migrations.api.v1beta1.Migrator;
import net.coderanger.migrations.api.v1beta1.MigratorSpec;
import net.coderanger.migrations.api.v1beta1.MigratorStatus;
import net.coderanger.migrations.controller.core.PodView.ContainerState;

/** A namespace as the core sees it, put together in a few words. */
final class Scene {
  static final Instant T0 = Instant.parse("2026-01-01T12:00:00Z");
  static final String NAME = "shop";
  static final String WAITER = Names.waiter(NAME);
  static final Map<String, String> APP = Map.of("app", "shop");
  static final Map<String, String> LENDER = Map.of("app", "shop", "role", "web");

  final MigratorSpec spec =
      new MigratorSpec().selector(new V1LabelSelector().matchLabels(new HashMap<>(APP)));
  final Map<String, String> annotations = new HashMap<>();
  MigratorStatus status = new MigratorStatus();
  String uid = "migrator-1";
  long generation = 1;
  Instant created = T0;
  boolean deleting;
  boolean guarded;
  Instant now = T0;
  final List<PodView> pods = new ArrayList<>();
  final Map<String, Template> templates = new HashMap<>();
  final List<JobView> jobs = new ArrayList<>();
  final Map<String, String> refusals = new HashMap<>();
  final Map<String, String> claimNodes = new HashMap<>();

  // ---- templates --------------------------------------------------------------------------

  /** A revision of a Deployment with one container, app. */
  static Template replicaSet(String deployment, long revision, String image) {
    return template(
        "ReplicaSet",
        deployment + "-" + Names.hash(image),
        deployment,
        revision,
        podTemplate("app", image));
  }

  static Template template(
      String kind, String name, String group, long revision, JsonObject podTemplate) {
    return new Template(
        kind,
        name,
        kind + ":" + name,
        group,
        new PodView.Owner("apps/v1", kind.equals("ReplicaSet") ? "Deployment" : kind, group, group),
        revision,
        T0.minusSeconds(1000 - revision),
        podTemplate);
  }

  static JsonObject podTemplate(String container, String image) {
    return json("{spec: {containers: [{name: %s, image: '%s'}]}}".formatted(container, image));
  }

  static JsonObject json(String text) {
    return JsonParser.parseString(text).getAsJsonObject();
  }

  // ---- pods -------------------------------------------------------------------------------

  /** A pod that waits for this Migrator. */
  PodView waiting(String name, Template template) {
    return add(pod(name, template).with(WAITER, new ContainerState.Running(T0)).build(), template);
  }

  /** A pod that was released. */
  PodView released(String name, Template template) {
    return add(
        pod(name, template)
            .phase("Running")
            .with(WAITER, new ContainerState.Terminated(0, "Completed", "", T0))
            .build(),
        template);
  }

  /** A pod without a waiter. */
  PodView ungated(String name, Template template) {
    return add(pod(name, template).phase("Running").ungated().build(), template);
  }

  /** Adds a pod, with its template unless that is null. */
  PodView add(PodView pod, Template template) {
    pods.add(pod);
    if (template != null) {
      templates.put(pod.uid(), template);
    }
    return pod;
  }

  static Pods pod(String name, Template template) {
    return new Pods(name).images(template.images());
  }

  /** The pod of a run's Job. */
  static Pods runPod(JobView job) {
    return new Pods(job.name() + "-pod")
        .labels(Map.of("app", "shop", Vocabulary.RUN_LABEL, NAME))
        .ungated()
        .controller(new PodView.Owner("batch/v1", "Job", job.name(), job.uid()));
  }

  /** Makes a pod's view; without more words, one with the waiter in front, pending since T0. */
  static final class Pods {
    private final String name;
    private Map<String, String> labels = LENDER;
    private final Map<String, String> annotations = new HashMap<>();
    private Instant created = T0;
    private PodView.Owner controller;
    private String phase = "Pending";
    private String reason = "";
    private String message = "";
    private Instant started;
    private PodView.Deletion deletion;
    private Instant disrupted;
    private String unschedulable = "";
    private OptionalLong deadline = OptionalLong.empty();
    private final SequencedMap<String, String> images = new LinkedHashMap<>();
    private List<String> initContainers = List.of(WAITER);
    private final Map<String, ContainerState> states = new HashMap<>();

    Pods(String name) {
      this.name = name;
    }

    Pods labels(Map<String, String> labels) {
      this.labels = labels;
      return this;
    }

    Pods annotated(String key, String value) {
      annotations.put(key, value);
      return this;
    }

    Pods created(Instant created) {
      this.created = created;
      return this;
    }

    Pods controller(PodView.Owner controller) {
      this.controller = controller;
      return this;
    }

    Pods phase(String phase) {
      this.phase = phase;
      return this;
    }

    Pods reason(String reason, String message) {
      this.reason = reason;
      this.message = message;
      return this;
    }

    Pods started(Instant started) {
      this.started = started;
      return this;
    }

    /** Its deletion was asked for then, with 30 s of grace. */
    Pods deleted(Instant began) {
      deletion = new PodView.Deletion(began.plusSeconds(30), began);
      return this;
    }

    Pods disrupted(Instant time) {
      disrupted = time;
      return this;
    }

    Pods unschedulable(String message) {
      unschedulable = message;
      return this;
    }

    Pods deadline(long seconds) {
      deadline = OptionalLong.of(seconds);
      return this;
    }

    Pods images(Map<String, String> images) {
      this.images.putAll(images);
      return this;
    }

    Pods ungated() {
      initContainers = List.of();
      return this;
    }

    Pods initContainers(String... names) {
      initContainers = List.of(names);
      return this;
    }

    Pods with(String container, ContainerState state) {
      states.put(container, state);
      return this;
    }

    Pods migration(ContainerState state) {
      return with(Vocabulary.MIGRATION_CONTAINER, state);
    }

    /** Its migration container exited then. */
    Pods exited(int code, Instant at) {
      return phase(code == 0 ? "Succeeded" : "Failed")
          .migration(
              new ContainerState.Terminated(code, code == 0 ? "Completed" : "Error", "", at));
    }

    PodView build() {
      return new PodView(
          name,
          "uid-" + name,
          labels,
          annotations,
          created,
          Optional.ofNullable(controller),
          phase,
          reason,
          message,
          Optional.ofNullable(started),
          Optional.ofNullable(deletion),
          Optional.ofNullable(disrupted),
          unschedulable,
          deadline,
          images,
          initContainers,
          states);
    }
  }

  // ---- Jobs -------------------------------------------------------------------------------

  /** A Job as it is made for this attempt. */
  JobView job(Template template, String image, long serial) {
    return view(JobManifest.of(intent(), template, image, serial, claimNodes), uid);
  }

  static JobView view(JsonObject job, String ownerUid) {
    var metadata = job.getAsJsonObject("metadata");
    var annotations = new HashMap<String, String>();
    metadata
        .getAsJsonObject("annotations")
        .entrySet()
        .forEach(entry -> annotations.put(entry.getKey(), entry.getValue().getAsString()));
    var name = metadata.get("name").getAsString();
    return new JobView(
        name, "uid-" + name, ownerUid, annotations, T0, false, false, Optional.empty(), false);
  }

  static JobView ended(JobView job, boolean complete, Instant at) {
    return new JobView(
        job.name(),
        job.uid(),
        job.ownerUid(),
        job.annotations(),
        job.created(),
        job.deleting(),
        false,
        Optional.of(at),
        complete);
  }

  static JobView suspended(JobView job) {
    return new JobView(
        job.name(),
        job.uid(),
        job.ownerUid(),
        job.annotations(),
        job.created(),
        job.deleting(),
        true,
        job.ended(),
        job.complete());
  }

  static JobView deleting(JobView job) {
    return new JobView(
        job.name(),
        job.uid(),
        job.ownerUid(),
        job.annotations(),
        job.created(),
        true,
        job.suspended(),
        job.ended(),
        job.complete());
  }

  // ---- the Migrator -----------------------------------------------------------------------

  /** This image was migrated then. */
  Scene migrated(String image, Instant at) {
    var images = new ArrayList<>(Objects.requireNonNullElse(status.getMigratedImages(), List.of()));
    images.addFirst(
        new MigratedImage()
            .image(image)
            .migrationImage(intent().migrationImage(image))
            .at(Draft.time(at)));
    status.setMigratedImages(images);
    status.setLastSuccessfulMigration(image);
    return this;
  }

  Intent intent() {
    var meta =
        new V1ObjectMeta()
            .namespace("default")
            .name(NAME)
            .uid(uid)
            .generation(generation)
            .creationTimestamp(Draft.time(created))
            .annotations(annotations);
    if (deleting) {
      meta.deletionTimestamp(Draft.time(now));
    }
    if (guarded) {
      meta.finalizers(List.of(Vocabulary.FINALIZER));
    }
    return Intent.of(new Migrator().metadata(meta).spec(spec));
  }

  Observed seen() {
    return new Observed(
        intent(),
        status,
        List.copyOf(pods),
        Map.copyOf(templates),
        List.copyOf(jobs),
        Map.copyOf(refusals),
        Map.copyOf(claimNodes),
        now);
  }

  Decision decide() {
    return Decider.decide(seen());
  }

  Verdict verdict(PodView pod) {
    return Verdict.of(seen(), pod);
  }

  /** Reason of the Ready condition of a decision. */
  static String reason(Decision decision) {
    return condition(decision.status(), Vocabulary.CONDITION_READY).getReason();
  }

  static String message(Decision decision) {
    return condition(decision.status(), Vocabulary.CONDITION_READY).getMessage();
  }

  static V1Condition condition(MigratorStatus status, String type) {
    return status.getConditions().stream()
        .filter(condition -> condition.getType().equals(type))
        .findFirst()
        .orElseThrow();
  }

  /** The image whose migration a decision starts, empty if it starts none. */
  static String starts(Decision decision) {
    return decision.start().map(start -> view(start.job(), "").image()).orElse("");
  }
}
