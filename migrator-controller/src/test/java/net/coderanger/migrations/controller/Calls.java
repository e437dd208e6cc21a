package net.coderanger.migrations.controller;

import module java.base;

import net.coderanger.migrations.controller.shell.Api;

/** Counts calls to the API server. */
final class Calls implements Api.Observer {
  private final Queue<String> made = new ConcurrentLinkedQueue<>();

  @Override
  public void before(String verb, String path) {
    made.add(verb + " " + path);
  }

  void forget() {
    made.clear();
  }

  /** How many calls of this verb were made to a path that ends so. */
  long count(String verb, String pathEnd) {
    return made.stream()
        .filter(call -> call.startsWith(verb + " ") && call.endsWith(pathEnd))
        .count();
  }

  /** All but events, which inform and hold up nothing. */
  List<String> butEvents() {
    return made.stream().filter(call -> !call.endsWith("/events")).toList();
  }
}
