package net.coderanger.migrations.injector.core;

import module java.base;

/**
 * Whether an image reference is another one, rewritten by a webhook that sends pulls through a
 * mirror: another registry, a longer path in front, a digest in addition.
 *
 * <p>Form of references: github.com/distribution/reference
 */
record MirroredImage(String path, String tag, String digest) {
  static boolean isSame(String present, String original) {
    var mirrored = of(present);
    var wanted = of(original);
    var samePath =
        mirrored.path.equals(wanted.path) || mirrored.path.endsWith("/" + wanted.pathInRegistry());
    var sameContent =
        wanted.digest.isEmpty()
            ? mirrored.tag.equals(wanted.tag)
            : mirrored.digest.equals(wanted.digest);
    return samePath && sameContent;
  }

  private static MirroredImage of(String reference) {
    var at = reference.indexOf('@');
    var name = at < 0 ? reference : reference.substring(0, at);
    var digest = at < 0 ? "" : reference.substring(at + 1);
    var colon = name.lastIndexOf(':');
    return colon > name.lastIndexOf('/')
        ? new MirroredImage(name.substring(0, colon), name.substring(colon + 1), digest)
        : new MirroredImage(name, digest.isEmpty() ? "latest" : "", digest);
  }

  /** The first component is a registry when it could be a host, as Docker decides it. */
  private String pathInRegistry() {
    var slash = path.indexOf('/');
    var first = slash < 0 ? "" : path.substring(0, slash);
    var registry = first.contains(".") || first.contains(":") || first.equals("localhost");
    return registry ? path.substring(slash + 1) : path;
  }
}
