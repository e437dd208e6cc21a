package net.coderanger.migrations.controller;

import module java.base;

import net.coderanger.migrations.controller.shell.Api;

/**
 * Counts the writes of a controller in each namespace, and lets it crash for a namespace where that
 * is wanted: from then on it makes no call there any more, as if its process had ended.
 */
public final class Crashes implements Api.Observer {
  /**
   * Where a controller stops.
   *
   * @param write the number of the write, the first is 1
   * @param after whether once it was answered, or before it is sent
   */
  public record Point(int write, boolean after) {}

  /** Ends the work on a namespace as the end of the process would. */
  private static final class Crash extends RuntimeException {
    private static final long serialVersionUID = 1;

    private Crash() {
      super("crashed, as the test wants it", null, false, false);
    }
  }

  private final Map<String, Point> points;
  private final Map<String, Integer> writes = new ConcurrentHashMap<>();
  private final Set<String> crashed = ConcurrentHashMap.newKeySet();

  /**
   * @param points by namespace; it does not crash for any other
   */
  public Crashes(Map<String, Point> points) {
    this.points = points;
  }

  /** How many writes were made, or tried, in this namespace. */
  public int writes(String namespace) {
    return writes.getOrDefault(namespace, 0);
  }

  /** Whether the point of this namespace was reached. */
  public boolean hasCrashed(String namespace) {
    return crashed.contains(namespace);
  }

  /** How many points were reached. */
  public int count() {
    return crashed.size();
  }

  @Override
  public void before(String verb, String path) {
    var namespace = namespace(path);
    // Events are posted in the background, by a thread that is not this namespace's.
    if (crashed.contains(namespace) && !path.contains("/events")) {
      throw new Crash();
    }
    if (isWrite(verb, path)) {
      var count = writes.merge(namespace, 1, Integer::sum);
      crashAt(namespace, new Point(count, false));
    }
  }

  @Override
  public void after(String verb, String path, int status) {
    var namespace = namespace(path);
    if (isWrite(verb, path)) {
      crashAt(namespace, new Point(writes(namespace), true));
    }
  }

  private void crashAt(String namespace, Point point) {
    if (point.equals(points.get(namespace))) {
      crashed.add(namespace);
      throw new Crash();
    }
  }

  private static boolean isWrite(String verb, String path) {
    return !verb.equals("GET") && path.contains("/namespaces/") && !path.contains("/events");
  }

  private static String namespace(String path) {
    var parts = path.split("/namespaces/");
    return parts.length < 2 ? "" : parts[1].split("/")[0];
  }
}
