package net.coderanger.migrations.kube;

import module java.base;

import io.helidon.config.Config;

/**
 * The namespaces that the operator serves: all, or those of a list.
 *
 * @param listed none means all
 */
public record Namespaces(List<String> listed) {
  /** No restriction. */
  public static final Namespaces ALL = new Namespaces(List.of());

  /** A DNS label (RFC 1123). */
  private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

  /** Its pods are never touched: a cluster must start without us. */
  private static final String SYSTEM = "kube-system";

  public Namespaces {
    listed = List.copyOf(listed);
  }

  /**
   * From the key namespaces: names with commas between them.
   *
   * @param kubernetes the node of this key, commonly named kubernetes
   * @param own the namespace that the operator runs in
   * @throws IllegalArgumentException naming the key and the name that cannot be
   */
  public static Namespaces from(Config kubernetes, String own) {
    var node = kubernetes.get("namespaces");
    var text = node.asString().orElse("").strip();
    if (text.isEmpty()) {
      return ALL;
    }
    var names = new LinkedHashSet<String>();
    for (var element : text.split(",", -1)) {
      var name = element.strip();
      problem(name, own)
          .ifPresent(
              problem -> {
                throw new IllegalArgumentException(
                    "%s: '%s' cannot be used: %s; write the names of namespaces with commas between"
                            .formatted(node.key(), text, problem)
                        + " them, or nothing for all");
              });
      names.add(name);
    }
    return new Namespaces(List.copyOf(names));
  }

  private static Optional<String> problem(String name, String own) {
    if (name.isEmpty()) {
      return Optional.of("it has an empty element");
    }
    if (!NAME.matcher(name).matches()) {
      return Optional.of("'%s' is no name of a namespace".formatted(name));
    }
    if (name.equals(own)) {
      return Optional.of(
          "'%s' is the operator's own namespace, whose pods never wait".formatted(name));
    }
    if (name.equals(SYSTEM)) {
      return Optional.of("pods of %s never wait".formatted(SYSTEM));
    }
    return Optional.empty();
  }

  /** Whether there is no restriction. */
  public boolean isAll() {
    return listed.isEmpty();
  }

  /** Whether this namespace is served. */
  public boolean include(String namespace) {
    return isAll() || listed.contains(namespace);
  }

  /** What to list and watch: each namespace, or once the empty name, which stands for all. */
  public List<String> watched() {
    return isAll() ? List.of("") : listed;
  }
}
