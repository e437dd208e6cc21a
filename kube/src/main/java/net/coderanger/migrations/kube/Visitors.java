package net.coderanger.migrations.kube;

import module java.base;

/**
 * Who has a connection of a server, who may speak next, and who must make way where there are too
 * many: first those that have not said a word, then those that have not asked for anything, the
 * oldest first; nobody who may be waiting for his answer. Only so many shake hands at a time: a
 * thousand at once would all be slow, and each costs its share of the heap. Each step costs the
 * same however many there are: a flood is many steps.
 *
 * <p>Times are in nanoseconds of any one clock. Whoever is returned has to be hung up on.
 */
final class Visitors {
  static final long NEVER = Long.MAX_VALUE;

  /**
   * How many there may be.
   *
   * @param most that have said a word
   * @param silent that have not, and of those that have, waiting for their turn
   * @param atOnce that shake hands
   * @param turn after which one who shakes hands no longer keeps others from it
   * @param longestRequest whose last request began longer ago may be idle and has to make way
   */
  record Limits(int most, int silent, int atOnce, long turn, long longestRequest) {}

  /** One connection. */
  static final class Visitor {
    private final SocketAddress address;
    private final SocketChannel channel;
    private final CountDownLatch turn = new CountDownLatch(1);

    /** When his turn began, then his last request. */
    private long began;

    private volatile long deadline;

    /** That serves him; unknown before his first word. */
    private volatile Thread thread;

    private Visitor(SocketAddress address, SocketChannel channel, long deadline) {
      this.address = address;
      this.channel = channel;
      this.deadline = deadline;
    }

    SocketChannel channel() {
      return channel;
    }

    void deadline(long deadline) {
      this.deadline = deadline;
    }

    boolean isLate(long now) {
      return deadline < now;
    }

    /** Nobody serves him any more, though his connection may be open. */
    boolean isForsaken() {
      var server = thread;
      return server != null && !server.isAlive();
    }

    /** Returns when it is his turn, or he has been hung up on. */
    void awaitTurn() throws InterruptedException {
      turn.await();
    }

    void awaitsNoTurn() {
      turn.countDown();
    }
  }

  private final Limits limits;

  /** The oldest first, as in the others. */
  private final SequencedMap<SocketAddress, Visitor> silent = new LinkedHashMap<>();

  /** Who has said his first word and waits for his turn. */
  private final SequencedMap<SocketAddress, Visitor> queue = new LinkedHashMap<>();

  /** Who has had his turn but not asked yet. */
  private final SequencedMap<SocketAddress, Visitor> strangers = new LinkedHashMap<>();

  /** The strangers whose turn it still is. */
  private final SequencedSet<Visitor> shaking = new LinkedHashSet<>();

  /** Who has asked, the one first whose last request is the oldest. */
  private final SequencedMap<SocketAddress, Visitor> guests = new LinkedHashMap<>();

  Visitors(Limits limits) {
    this.limits = limits;
  }

  /** Somebody comes. */
  synchronized Optional<Visitor> come(SocketAddress address, SocketChannel channel, long deadline) {
    var gone = silent.size() < limits.silent ? null : silent.pollFirstEntry().getValue();
    silent.putLast(address, new Visitor(address, channel, deadline));
    return Optional.ofNullable(gone);
  }

  /**
   * Somebody says his first word, and has to await his turn: we keep him waiting, not he us.
   *
   * @param server that will serve him
   * @return empty when he had to go already
   */
  synchronized Optional<Visitor> speak(SocketAddress address, Thread server) {
    var visitor = silent.remove(address);
    if (visitor != null) {
      visitor.thread = server;
      visitor.deadline = NEVER;
      queue.putLast(address, visitor);
    }
    return Optional.ofNullable(visitor);
  }

  /** Gives turns to as many as may have one; the head of their request has to end by then. */
  synchronized List<Visitor> proceed(long now, long deadline) {
    var gone = new ArrayList<Visitor>();
    while (!queue.isEmpty() && mayShake(now)) {
      var next = queue.pollFirstEntry().getValue();
      if (strangers.size() + guests.size() >= limits.most) {
        forgetClosed();
      }
      if (strangers.size() + guests.size() >= limits.most) {
        var room = leastWanted(now);
        if (room.isEmpty()) {
          gone.add(next);
          continue;
        }
        var one = room.get().pollFirstEntry().getValue();
        shaking.remove(one);
        gone.add(one);
      }
      next.began = now;
      next.deadline = deadline;
      strangers.putLast(next.address, next);
      shaking.addLast(next);
      next.awaitsNoTurn();
    }
    while (queue.size() > limits.silent) { // who came last can best come again
      gone.add(queue.pollLastEntry().getValue());
    }
    return gone;
  }

  private boolean mayShake(long now) {
    if (shaking.size() >= limits.atOnce && now - shaking.getFirst().began > limits.turn) {
      shaking.removeFirst();
    }
    return shaking.size() < limits.atOnce;
  }

  /** Whose first one makes way. */
  private Optional<SequencedMap<SocketAddress, Visitor>> leastWanted(long now) {
    if (!strangers.isEmpty()) {
      return Optional.of(strangers);
    }
    return now - guests.firstEntry().getValue().began > limits.longestRequest
        ? Optional.of(guests)
        : Optional.empty();
  }

  /** Somebody went without a word. */
  synchronized void leave(SocketAddress address) {
    silent.remove(address);
  }

  /** Another request begins, unless it is the first; its head has to end by then. */
  synchronized void askAgain(SocketAddress address, long now, long deadline) {
    if (guests.containsKey(address)) {
      ask(address, now, deadline);
    }
  }

  /** The head of a request has ended; the answer has to end by then. */
  synchronized void ask(SocketAddress address, long now, long deadline) {
    var stranger = strangers.remove(address);
    var visitor = stranger == null ? guests.get(address) : stranger;
    if (visitor != null) {
      shaking.remove(visitor);
      guests.putLast(address, visitor);
      visitor.began = now;
      visitor.deadline = deadline;
    }
  }

  /** Who has had his turn. */
  synchronized Optional<Visitor> at(SocketAddress address) {
    var guest = guests.get(address);
    return Optional.ofNullable(guest == null ? strangers.get(address) : guest);
  }

  synchronized List<Visitor> all() {
    return rooms().flatMap(it -> it.values().stream()).toList();
  }

  synchronized int number() {
    return rooms().mapToInt(Map::size).sum();
  }

  synchronized void forgetClosed() {
    rooms().forEach(it -> it.values().removeIf(visitor -> !visitor.channel.isOpen()));
    shaking.removeIf(visitor -> !visitor.channel.isOpen());
  }

  private Stream<SequencedMap<SocketAddress, Visitor>> rooms() {
    return Stream.of(silent, queue, strangers, guests);
  }
}
