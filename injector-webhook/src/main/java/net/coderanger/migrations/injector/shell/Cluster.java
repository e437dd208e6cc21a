package net.coderanger.migrations.injector.shell;

import module java.base;

import net.coderanger.migrations.injector.core.Gate;
import net.coderanger.migrations.injector.core.KnownMigrator;

/** What is known of the cluster, from caches: no call is made while a pod is admitted. */
interface Cluster {
  /** Whether the caches hold all that there is to be seen. */
  boolean isSynced();

  /** Whether the caches hold this namespace; until then nothing may be decided there. */
  boolean isSynced(String namespace);

  /** The Migrators of a namespace; empty when there are none. */
  List<KnownMigrator> migrators(String namespace);

  /** How the gate is reached; empty until its CA is known. */
  Optional<Gate> gate();
}
