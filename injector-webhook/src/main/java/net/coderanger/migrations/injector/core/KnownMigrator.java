package net.coderanger.migrations.injector.core;

import module java.base;

/** A Migrator of the pod's namespace, as far as injection is concerned. */
public sealed interface KnownMigrator {
  String name();

  /**
   * A Migrator that can tell its pods.
   *
   * @param selects by a pod's labels
   */
  record Selecting(String name, Predicate<Map<String, String>> selects) implements KnownMigrator {}

  /**
   * A Migrator that selects nothing, since its selector is none.
   *
   * @param fault what is wrong with the selector, for people
   */
  record Unusable(String name, String fault) implements KnownMigrator {}
}
