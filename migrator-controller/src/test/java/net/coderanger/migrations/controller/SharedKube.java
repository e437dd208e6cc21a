package net.coderanger.migrations.controller;

import net.coderanger.migrations.api.KubeApi;

/** One API server for many tests of this JVM, which take a namespace each. */
final class SharedKube {
  /** One controller may lead there at a time. */
  static final String LEASE = "lease of the shared API server";

  private static final KubeApi KUBE = start();

  private SharedKube() {}

  static KubeApi get() {
    return KUBE;
  }

  private static KubeApi start() {
    var kube = KubeApi.withMigrators();
    Runtime.getRuntime().addShutdownHook(new Thread(kube::close));
    return kube;
  }
}
