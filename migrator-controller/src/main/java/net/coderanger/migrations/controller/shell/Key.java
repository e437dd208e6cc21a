package net.coderanger.migrations.controller.shell;

/** Namespace and name of a Migrator. */
public record Key(String namespace, String name) {
  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
