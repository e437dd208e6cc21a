package net.coderanger.migrations.deploy;

import module java.base;

import com.marcnuri.helm.Helm;

/** The Helm chart. */
final class Chart {
  static final Path FOLDER = Manifest.ROOT.resolve("deploy/helm/migrations-operator");

  private Chart() {}

  /**
   * What an installation would apply, in the namespace of deploy/.
   *
   * @param values dotted keys and what they are set to
   * @throws IllegalStateException with Helm's message when it refuses
   */
  static List<Manifest> rendered(Map<String, ?> values) {
    return rendered("migrations-operator", values);
  }

  static List<Manifest> rendered(String namespace, Map<String, ?> values) {
    var template =
        new Helm(FOLDER)
            .template()
            .withName("any")
            .withNamespace(namespace)
            .withKubeVersion("1.30.0");
    values.forEach(template::set);
    return Manifest.parse(template.call());
  }
}
