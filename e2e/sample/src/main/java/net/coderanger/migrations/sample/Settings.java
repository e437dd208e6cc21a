package net.coderanger.migrations.sample;

import module java.base;

import io.helidon.config.Config;

/**
 * What the configuration says; application.yaml explains it.
 *
 * @param patience how long a start waits for the database
 * @param slowness how long the migration of v2 takes
 * @param failing whether the migration of v2 fails
 */
record Settings(
    String url,
    String user,
    String password,
    Duration patience,
    Version version,
    Path migrations,
    Duration slowness,
    boolean failing) {

  /** Throws a RuntimeException that names the key which cannot be used. */
  static Settings from(Config config) {
    var database = config.get("database");
    var sample = config.get("sample");
    return new Settings(
        database.get("url").asString().get(),
        database.get("user").asString().get(),
        database.get("password").asString().get(),
        database.get("patience").as(Duration.class).get(),
        Version.parse(sample.get("version").asString().get()),
        Path.of(sample.get("migrations").asString().get()),
        Duration.ofSeconds(sample.get("migration-seconds").asLong().get()),
        sample.get("migration-fail").asBoolean().get());
  }

  /** Without the password. */
  @Override
  public String toString() {
    return "%s on %s as %s".formatted(version, url, user);
  }
}
