package net.coderanger.migrations.controller;

import module java.base;

/** Makes many things of the API server at a time. */
final class Parallel {
  interface Making {
    String make(int number) throws Exception;
  }

  private static final int AT_A_TIME = 8;

  private Parallel() {}

  static IntStream times(int number) {
    return IntStream.range(0, number);
  }

  /** What was made, in the numbers' order. */
  static List<String> make(IntStream numbers, Making making) throws Exception {
    try (var threads = Executors.newFixedThreadPool(AT_A_TIME)) {
      var all = new ArrayList<String>();
      for (var made :
          threads.invokeAll(
              numbers.<Callable<String>>mapToObj(i -> () -> making.make(i)).toList())) {
        all.add(made.get());
      }
      return all;
    }
  }
}
