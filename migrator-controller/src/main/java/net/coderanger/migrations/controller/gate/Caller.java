package net.coderanger.migrations.controller.gate;

/** Who calls at the gate, by its token alone: the waiter's own word counts for nothing. */
sealed interface Caller {
  /** A pod, to which the token is bound. */
  record Pod(String namespace, String name, String uid) implements Caller {}

  /**
   * Nobody whom the gate serves.
   *
   * @param status HTTP status of the answer
   * @param message says what is wrong; never holds the token
   */
  record Refused(int status, String message) implements Caller {}
}
