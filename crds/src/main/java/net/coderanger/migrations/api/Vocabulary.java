package net.coderanger.migrations.api;

/**
 * The words that the services, the users and the original operator
 * (github.com/coderanger/migrations-operator) share. All are compile-time constants, so that the
 * waiter can use them without this module at run time.
 */
public final class Vocabulary {
  public static final String GROUP = "migrations.coderanger.net";
  public static final String VERSION = "v1beta1";
  public static final String API_VERSION = GROUP + "/" + VERSION;
  public static final String KIND = "Migrator";
  public static final String PLURAL = "migrators";

  /** On a pod, "true": refuse the pod when no Migrator selects it. */
  public static final String REQUIRED = GROUP + "/required";

  /** On a pod, "true": leave the pod alone. */
  public static final String NO_WAIT = GROUP + "/no-wait";

  /** On a Migrator, any new value: run the current image again. */
  public static final String RUN_REQUESTED = GROUP + "/run-requested";

  /** On a Migrator while a run is active: the garbage collector must not kill the migration. */
  public static final String FINALIZER = GROUP + "/active-run";

  /** Label of run Jobs and their pods: the Migrator's name, as {@link Names#label} fits it. */
  public static final String RUN_LABEL = GROUP + "/migrator";

  /** Annotation of run Jobs and their pods: the image that is migrated. */
  public static final String IMAGE_ANNOTATION = GROUP + "/image";

  /** Annotation of run Jobs and their pods: the Migrator's full name. */
  public static final String MIGRATOR_ANNOTATION = GROUP + "/migrator-name";

  /** Label of the original on the pods of its Jobs, with the Migrator's name; kept. */
  public static final String ORIGINAL_LABEL = "migrations";

  /** Name of the container that runs the migration. */
  public static final String MIGRATION_CONTAINER = "migrations";

  /** Start of the waiter's container name; the Migrator's name follows. */
  public static final String WAITER_PREFIX = "migrate-wait-";

  /** A readiness gate that nothing ever satisfies: keeps run pods out of Services. */
  public static final String NEVER_READY = GROUP + "/never-serves";

  /** Audience of the waiters' service-account tokens. */
  public static final String AUDIENCE = GROUP;

  /** The directory of the waiter's token; at this path it keeps the API token out. */
  public static final String TOKEN_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

  /** The directory of the waiter's memory; a file a Migrator holds the uid of the released pod. */
  public static final String MARKER_DIRECTORY = "/run/migrations";

  /** Path of the gate for one Migrator: this, its name, {@link #GATE_PATH_END}. */
  public static final String GATE_PATH = "/v1/migrators/";

  public static final String GATE_PATH_END = "/wait";

  /** Types of the gate's events, one JSON object a line, in the member "type". */
  public static final String EVENT_WAITING = "waiting";

  public static final String EVENT_HEARTBEAT = "heartbeat";

  /** The last line of a connection that the gate ends for its own reasons: ask again. */
  public static final String EVENT_RECONNECT = "reconnect";

  /** The only event that opens the gate. */
  public static final String EVENT_RELEASED = "released";

  public static final String CONDITION_MIGRATIONS_READY = "MigrationsReady";
  public static final String CONDITION_READY = "Ready";

  /** See kstatus: sigs.k8s.io/cli-utils/pkg/kstatus. */
  public static final String CONDITION_RECONCILING = "Reconciling";

  /** See kstatus: sigs.k8s.io/cli-utils/pkg/kstatus. */
  public static final String CONDITION_STALLED = "Stalled";

  private Vocabulary() {}
}
