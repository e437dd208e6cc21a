package net.coderanger.migrations.controller.shell;

import net.coderanger.migrations.api.Vocabulary;

/** Paths of the API server. */
final class Paths {
  private Paths() {}

  static String migrator(String namespace, String name) {
    return "/apis/%s/namespaces/%s/%s/%s"
        .formatted(Vocabulary.API_VERSION, namespace, Vocabulary.PLURAL, name);
  }

  static String pods(String namespace) {
    return "/api/v1/namespaces/%s/pods".formatted(namespace);
  }

  static String pod(String namespace, String name) {
    return pods(namespace) + "/" + name;
  }

  static String jobs(String namespace) {
    return "/apis/batch/v1/namespaces/%s/jobs".formatted(namespace);
  }

  static String job(String namespace, String name) {
    return jobs(namespace) + "/" + name;
  }

  static String events(String namespace) {
    return "/api/v1/namespaces/%s/events".formatted(namespace);
  }

  /** An object of any kind; the group's root is /api/v1 for the core group. */
  static String object(String apiVersion, String plural, String namespace, String name) {
    var root = apiVersion.contains("/") ? "/apis/" : "/api/";
    return "%s%s/namespaces/%s/%s/%s".formatted(root, apiVersion, namespace, plural, name);
  }

  static String resources(String apiVersion) {
    return (apiVersion.contains("/") ? "/apis/" : "/api/") + apiVersion;
  }
}
