package net.coderanger.migrations.controller.core;

import module java.base;

/** How image references are compared. */
final class Images {
  private Images() {}

  /**
   * The image of a pod as its template writes it. A registry mirror may rewrite the pod's image:
   * the same last path segment with the same tag or digest is the same image. Any other difference
   * is an edit of the pod, whose own image counts then.
   */
  static String asTemplated(String inPod, String inTemplate) {
    return inPod.isEmpty() || lastSegment(inPod).equals(lastSegment(inTemplate))
        ? inTemplate
        : inPod;
  }

  /** The reference without tag and digest. */
  static String repository(String image) {
    var withoutDigest = image.split("@", 2)[0];
    var colon = withoutDigest.lastIndexOf(':');
    return colon > withoutDigest.lastIndexOf('/')
        ? withoutDigest.substring(0, colon)
        : withoutDigest;
  }

  /** The last segment of a repository's path: a mirror rewrites what stands before it. */
  static String name(String repository) {
    return lastSegment(repository);
  }

  private static String lastSegment(String image) {
    // A digest may stand behind a name, never a slash within it.
    return image.substring(image.lastIndexOf('/') + 1);
  }
}
