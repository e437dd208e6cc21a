package net.coderanger.migrations.controller.core;

import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.util.Config;

/** What the core must never do; {@code ArchitectureTest} must find it. */
public final class Impure {
  private Impure() {}

  static ApiClient reachesOut(String url) {
    return Config.fromUrl(url);
  }
}
