package net.coderanger.migrations.controller.gate;

import module java.base;

import io.kubernetes.client.openapi.ApiException;

/**
 * Something that many need at once and that one of them gets for all, failure included: who comes
 * while it is being got waits, and shares the next one if this one was begun too early for him.
 */
final class Shared<T> {
  /** Where it comes from. */
  interface Source<T> {
    T get() throws ApiException;
  }

  private record Gotten<T>(long begun, T value, ApiException failure) {}

  private final Source<T> source;
  private final ReentrantLock turn = new ReentrantLock();
  private Gotten<T> last;

  Shared(Source<T> source) {
    this.source = source;
  }

  /**
   * One that was begun no earlier than this.
   *
   * @param since as System.nanoTime tells it, not in the future
   * @throws ApiException the one that the source threw, possibly for another
   */
  T begunSince(long since) throws ApiException, InterruptedException {
    turn.lockInterruptibly();
    try {
      if (last == null || last.begun - since < 0) {
        last = get(System.nanoTime());
      }
      if (last.failure != null) {
        throw last.failure;
      }
      return last.value;
    } finally {
      turn.unlock();
    }
  }

  private Gotten<T> get(long begun) {
    try {
      return new Gotten<>(begun, source.get(), null);
    } catch (ApiException e) {
      return new Gotten<>(begun, null, e);
    }
  }
}
