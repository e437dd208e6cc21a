package net.coderanger.migrations.injector.shell;

/** The text of an AdmissionReview that creates a pod. */
final class ReviewText {
  private ReviewText() {}

  static String creating(String pod) {
    return creating("shop", pod);
  }

  static String creating(String namespace, String pod) {
    return """
    {"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","operation":"CREATE",
     "kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},
     "namespace":"%s","object":%s}}
    """
        .formatted(namespace, pod);
  }

  /** A pod that the Migrator of {@link FixedCluster} selects; a member may be added to it. */
  static String shop(String more) {
    return "{\"metadata\":{\"name\":\"p\",\"labels\":{\"app\":\"shop\"}},\"spec\":{\"containers\":[]}%s}"
        .formatted(more);
  }
}
