package net.coderanger.migrations.injector.core;

import module java.base;

import jakarta.json.JsonArray;

/** What the API server is answered. */
public sealed interface Outcome {
  /** For the user who creates the pod; kubectl prints them. */
  List<String> warnings();

  /**
   * The pod is let in, changed.
   *
   * @param operations a JSON patch (RFC 6902), never empty
   */
  record Patch(JsonArray operations, List<String> warnings) implements Outcome {}

  /** The object is let in as it is. */
  record AllowUntouched(Reason reason, List<String> warnings) implements Outcome {}

  /**
   * The pod is not let in.
   *
   * @param message for the user: what is wrong and what to do
   */
  record Refuse(String message) implements Outcome {
    @Override
    public List<String> warnings() {
      return List.of();
    }
  }

  /** Why an object is let in as it is. */
  enum Reason {
    /** Not the creation of a pod. */
    NOT_A_NEW_POD,
    /** The operator's own namespace, or kube-system: they must start without us. */
    EXEMPT_NAMESPACE,
    /** A static pod's image in the API; kubelet does not read it back. */
    MIRROR_POD,
    /** The pod's annotation says so. */
    NO_WAIT,
    /** No Migrator selects the pod. */
    NOT_SELECTED,
    /** The waiter is a Linux program. */
    WINDOWS,
    /** The waiters are there already, and last. */
    ALREADY_GATED
  }
}
