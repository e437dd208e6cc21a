package net.coderanger.migrations.api;

/**
 * Why a Migrator is in its state: reason of its conditions, of its events and of the gate's answer.
 */
public enum Reason {
  /** Nothing is wanted and nothing runs. */
  MigrationsUpToDate,
  /** A run's first attempt has been started. */
  MigrationsStarted,
  /** A run is active. */
  MigrationsRunning,
  /** Another run goes first. */
  MigrationsQueued,
  /** An attempt failed, the next one is due. */
  MigrationsRetrying,
  /** A run has succeeded. */
  MigrationsSucceeded,
  /** A run has failed for good. */
  MigrationsFailed,
  /** A run is wanted, but spec.suspend is set. */
  MigrationsSuspended,
  /** No pod is selected. */
  NoPods,
  /** Pods are selected, but templateSelector selects none of them. */
  NoTemplatePods,
  /** No template has the container of spec.container. */
  NoTemplateContainer,
  /** The spec cannot be carried out. */
  InvalidSpec
}
