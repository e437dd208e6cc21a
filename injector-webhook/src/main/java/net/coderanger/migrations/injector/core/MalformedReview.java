package net.coderanger.migrations.injector.core;

/** What was sent is no AdmissionReview of version v1, or holds no pod where there must be one. */
public final class MalformedReview extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public MalformedReview(String message) {
    super(message);
  }
}
