package net.coderanger.migrations.controller;

import net.coderanger.migrations.api.KubeApi;

/** One API server for all tests of this JVM, which take a namespace each. */
final class SharedKube {
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
