package net.coderanger.migrations.injector.shell;

import module java.base;

import net.coderanger.migrations.injector.core.Gate;
import net.coderanger.migrations.injector.core.KnownMigrator;

/** A cluster with one Migrator, db, in every namespace, for pods with label app=shop. */
final class FixedCluster implements Cluster {
  volatile boolean synced = true;
  volatile boolean failing;
  volatile Optional<Gate> gate = Optional.of(new Gate("PEM", Optional.empty()));

  @Override
  public boolean isSynced() {
    return synced;
  }

  @Override
  public boolean isSynced(String namespace) {
    return synced;
  }

  @Override
  public List<KnownMigrator> migrators(String namespace) {
    if (failing) {
      throw new IllegalStateException("no luck");
    }
    return List.of(new KnownMigrator.Selecting("db", labels -> "shop".equals(labels.get("app"))));
  }

  @Override
  public Optional<Gate> gate() {
    return gate;
  }
}
