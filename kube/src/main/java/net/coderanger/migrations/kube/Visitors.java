package net.coderanger.migrations.kube;

import module java.base;

/**
 * Who has a connection of a server, and who must make way where there are too many: first those
 * that have not said a word, then those that have not asked for anything, the oldest first; nobody
 * who may be waiting for his answer. Each step costs the same however many there are: a flood is
 * many steps.
 *
 * <p>Times are in nanoseconds of any one clock.
 */
final class Visitors {
  static final long NEVER = Long.MAX_VALUE;

  /** One connection. */
  static final class Visitor {
    private final SocketAddress address;
    private final SocketChannel channel;

    /** When he came, then when his last request began. */
    private long began;

    private boolean asked;
    private volatile long deadline;

    /** That serves him; unknown before his first word. */
    private volatile Thread thread;

    private Visitor(SocketAddress address, SocketChannel channel, long began, long deadline) {
      this.address = address;
      this.channel = channel;
      this.began = began;
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
  }

  private final int most;
  private final int mostSilent;
  private final long longestRequest;

  /** The oldest first. */
  private final SequencedMap<SocketAddress, Visitor> silent = new LinkedHashMap<>();

  /** Who has spoken but not asked, the oldest first. */
  private final SequencedMap<SocketAddress, Visitor> strangers = new LinkedHashMap<>();

  /** Who has asked, the one first whose last request is the oldest. */
  private final SequencedMap<SocketAddress, Visitor> guests = new LinkedHashMap<>();

  /**
   * @param most of those who have said a word
   * @param mostSilent of those who have not
   * @param longestRequest whose last request began longer ago may be idle and has to make way
   */
  Visitors(int most, int mostSilent, long longestRequest) {
    this.most = most;
    this.mostSilent = mostSilent;
    this.longestRequest = longestRequest;
  }

  /** Somebody comes; returns who has to go for him. */
  synchronized Optional<Visitor> come(
      SocketAddress address, SocketChannel channel, long now, long deadline) {
    var gone = silent.size() < mostSilent ? null : silent.pollFirstEntry().getValue();
    silent.putLast(address, new Visitor(address, channel, now, deadline));
    return Optional.ofNullable(gone);
  }

  /**
   * Somebody says his first word; returns who has to go: himself where nobody else can.
   *
   * @param server that will serve him
   */
  synchronized Optional<Visitor> speak(SocketAddress address, Thread server, long now) {
    var visitor = silent.remove(address);
    if (visitor == null) { // had to go already
      return Optional.empty();
    }
    visitor.thread = server;
    if (strangers.size() + guests.size() >= most) {
      forgetClosed();
    }
    if (strangers.size() + guests.size() >= most) {
      if (!strangers.isEmpty()) {
        var gone = strangers.pollFirstEntry().getValue();
        strangers.putLast(address, visitor);
        return Optional.of(gone);
      }
      if (guests.firstEntry().getValue().began >= now - longestRequest) {
        return Optional.of(visitor);
      }
      var gone = guests.pollFirstEntry().getValue();
      strangers.putLast(address, visitor);
      return Optional.of(gone);
    }
    strangers.putLast(address, visitor);
    return Optional.empty();
  }

  /** Somebody went without a word. */
  synchronized void leave(SocketAddress address) {
    silent.remove(address);
  }

  /** Another request begins, unless it is the first; its head has to end by then. */
  synchronized void askAgain(SocketAddress address, long now, long deadline) {
    var visitor = guests.remove(address);
    if (visitor != null) {
      guests.putLast(address, visitor);
      visitor.began = now;
      visitor.deadline = deadline;
    }
  }

  /** The head of a request has ended; the answer has to end by then. */
  synchronized void ask(SocketAddress address, long now, long deadline) {
    var visitor = strangers.remove(address);
    if (visitor == null) {
      visitor = guests.remove(address);
    }
    if (visitor != null) {
      guests.putLast(address, visitor);
      visitor.began = now;
      visitor.deadline = deadline;
    }
  }

  /** Who has said a word. */
  synchronized Optional<Visitor> at(SocketAddress address) {
    var guest = guests.get(address);
    return Optional.ofNullable(guest == null ? strangers.get(address) : guest);
  }

  synchronized List<Visitor> all() {
    return Stream.of(silent, strangers, guests).flatMap(it -> it.values().stream()).toList();
  }

  synchronized int number() {
    return silent.size() + strangers.size() + guests.size();
  }

  synchronized void forgetClosed() {
    for (var room : List.of(silent, strangers, guests)) {
      room.values().removeIf(visitor -> !visitor.channel.isOpen());
    }
  }
}
