package net.coderanger.migrations.controller.shell;

import module java.base;

import io.helidon.config.Config;

/**
 * Settings of the controller.
 *
 * @param namespace that the operator runs in
 * @param identity of this replica in the leader election
 * @param workers Migrators that are reconciled at a time
 * @param callTimeout of one call to the API server
 * @param drain from SIGTERM to the end: endpoints need a moment to forget us
 */
public record ControllerSettings(
    String namespace,
    String identity,
    int workers,
    Duration callTimeout,
    Duration leaseDuration,
    Duration renewDeadline,
    Duration retryPeriod,
    Duration drain) {
  /**
   * Reads the node "controller".
   *
   * @throws IllegalArgumentException naming the key that has a bad value
   */
  public static ControllerSettings from(Config controller) {
    var identity = controller.get("identity").asString().orElse("");
    var settings =
        new ControllerSettings(
            controller.get("namespace").asString().get(),
            identity.isEmpty() ? UUID.randomUUID().toString() : identity,
            controller.get("workers").asInt().get(),
            controller.get("call-timeout").as(Duration.class).get(),
            controller.get("lease-duration").as(Duration.class).get(),
            controller.get("renew-deadline").as(Duration.class).get(),
            controller.get("retry-period").as(Duration.class).get(),
            controller.get("drain").as(Duration.class).get());
    if (settings.namespace.isEmpty()) {
      throw new IllegalArgumentException("controller.namespace must not be empty");
    }
    if (settings.workers < 1) {
      throw new IllegalArgumentException("controller.workers must be at least 1");
    }
    if (settings.renewDeadline.compareTo(settings.leaseDuration) >= 0
        || settings.retryPeriod.compareTo(settings.renewDeadline) >= 0) {
      throw new IllegalArgumentException(
          "controller.retry-period < controller.renew-deadline < controller.lease-duration must"
              + " hold");
    }
    return settings;
  }
}
