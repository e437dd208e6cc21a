package net.coderanger.migrations.kube;

import module java.base;

import io.helidon.common.socket.SocketOptions;
import io.helidon.common.tls.Tls;
import io.helidon.config.Config;
import io.helidon.http.Headers;
import io.helidon.http.HttpPrologue;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionListener;

/**
 * Who may hold a connection of a server, and how long he may keep us waiting: Helidon (4.4.0) has
 * no limit of time for a TLS handshake, a head or a body that trickles or stops, nor for a peer
 * that does not read, its read-timeout does nothing in a server, and where max-tcp-connections is
 * reached it accepts nobody any more. Here he who dawdles is hung up on, and where there are too
 * many, those that have said least ({@link Visitors}).
 */
public final class Doorkeeper implements AutoCloseable {
  /**
   * Limits of one server.
   *
   * @param most connections at a time that have said a word; each costs some 50 KiB, before its
   *     first request less
   * @param silent connections at a time that have not; each costs some 4 KiB
   * @param headTime from the connection's beginning to its first byte, from the beginning of TLS to
   *     the end of its first request's head, and from the first line of any other request to the
   *     end of its head
   * @param requestTime from there to the end of the answer, unless {@link #within} says otherwise
   * @param longestRequest who began his last request longer ago than this may have to make way
   */
  public record Limits(
      int most, int silent, Duration headTime, Duration requestTime, Duration longestRequest) {
    /** Where no request may take longer than requestTime. */
    public static Limits from(Config connections) {
      return from(connections, connections.get("request-time").as(Duration.class).get());
    }

    /**
     * Reads the node "connections".
     *
     * @param longestRequest in this service
     * @throws IllegalArgumentException naming the key that has a bad value
     */
    public static Limits from(Config connections, Duration longestRequest) {
      var limits =
          new Limits(
              connections.get("most").asInt().get(),
              connections.get("silent").asInt().get(),
              connections.get("head-time").as(Duration.class).get(),
              connections.get("request-time").as(Duration.class).get(),
              longestRequest);
      if (limits.most < 1 || limits.silent < 1) {
        throw new IllegalArgumentException(
            "connections.most and connections.silent must be at least 1");
      }
      if (limits.headTime.compareTo(Duration.ofMillis(100)) < 0) {
        throw new IllegalArgumentException("connections.head-time must be at least 100 ms");
      }
      if (!limits.requestTime.isPositive()) {
        throw new IllegalArgumentException("connections.request-time must be positive");
      }
      return limits;
    }
  }

  /** Ends a limit of time. */
  public interface InTime extends AutoCloseable {
    @Override
    void close();
  }

  private static final System.Logger LOG = System.getLogger(Doorkeeper.class.getName());

  /** This part of all may shake hands at a time. */
  private static final int SHAKE_HANDS = 8;

  /** A handshake takes some milliseconds: who takes longer keeps nobody else from his. */
  private static final Duration TURN = Duration.ofMillis(500);

  private static final Duration LOOK = Duration.ofMillis(100);

  private final Limits limits;
  private final Visitors visitors;
  private final AtomicInteger sentAway = new AtomicInteger();
  private final long start = System.nanoTime();
  private final Thread watch;

  /** Begins to watch. */
  public Doorkeeper(Limits limits) {
    this.limits = limits;
    visitors =
        new Visitors(
            new Visitors.Limits(
                limits.most,
                limits.silent,
                Math.max(1, limits.most / SHAKE_HANDS),
                TURN.toNanos(),
                limits.longestRequest.toNanos()));
    watch = Thread.ofVirtual().name("doorkeeper").start(this::watch);
  }

  /** Sets it before the default socket of a server that speaks HTTP/1.1 over this TLS. */
  public void guard(WebServerConfig.Builder server, Tls tls) {
    server
        // With NIO a connection costs more than twice the memory, and its name is looked up.
        .useNio(false)
        .connectionOptions(
            new Accepting(server.connectionOptions().orElseGet(SocketOptions::create)))
        .tls(Tls.builder().sslContext(new FirstWord(tls.sslContext(), new Speaking())).build())
        .addProtocol(Http1Config.builder().addReceiveListener(new Listening()).build());
  }

  /** How many were hung up on since the start. */
  public int sentAway() {
    return sentAway.get();
  }

  /** How many connections are open. */
  public int present() {
    return visitors.number();
  }

  /** From now on until it is closed, this request's connection has so much time; then, any. */
  public InTime within(ServerRequest request, Duration time) {
    var visitor = visitors.at(request.remotePeer().address());
    if (visitor.isEmpty()) { // hung up on already
      return () -> {};
    }
    visitor.get().deadline(now() + time.toNanos());
    return () -> visitor.get().deadline(Visitors.NEVER);
  }

  /** This request has got its answer, and its connection may stay open for another one. */
  public void answered(ServerRequest request) {
    within(request, limits.requestTime).close();
  }

  private void watch() {
    try {
      while (true) {
        Thread.sleep(LOOK);
        var now = now();
        for (var visitor : visitors.all()) {
          if (visitor.isLate(now)) {
            hangUp(visitor);
          } else if (visitor.isForsaken()) {
            close(visitor); // Helidon ends TLS but leaves the connection below it open
          }
        }
        visitors.forgetClosed();
        proceed();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void accept(SocketChannel channel) throws IOException {
    visitors
        .come(channel.getRemoteAddress(), channel, now() + limits.headTime.toNanos())
        .ifPresent(this::hangUp);
  }

  private void proceed() {
    var now = now();
    visitors.proceed(now, now + limits.headTime.toNanos()).forEach(this::hangUp);
  }

  private void hangUp(Visitors.Visitor visitor) {
    visitor.deadline(Visitors.NEVER);
    visitor.awaitsNoTurn();
    if (visitor.channel().isOpen()) {
      sentAway.incrementAndGet();
      close(visitor);
    }
  }

  private static void close(Visitors.Visitor visitor) {
    try {
      visitor.channel().close(); // which ends whatever its thread waits for
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "A connection could not be closed", e);
    }
  }

  private long now() {
    return System.nanoTime() - start;
  }

  @Override
  public void close() {
    watch.interrupt();
  }

  /** Where the threads that serve the connections tell of their first words. */
  private final class Speaking implements FirstWord.Listener {
    @Override
    public void spoke(SocketAddress peer) throws IOException {
      var visitor = visitors.speak(peer, Thread.currentThread());
      proceed();
      try {
        visitor.orElseThrow(ClosedChannelException::new).awaitTurn();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        throw new ClosedByInterruptException();
      }
    }

    @Override
    public void left(SocketAddress peer) {
      visitors.leave(peer);
    }
  }

  /** Where Helidon shows each connection that it has accepted, before anything else. */
  private final class Accepting implements SocketOptions {
    private final SocketOptions options;

    private Accepting(SocketOptions options) {
      this.options = options;
    }

    @Override
    public void configureSocket(SocketChannel channel) {
      options.configureSocket(channel);
      try {
        accept(channel);
      } catch (IOException e) { // gone already; Helidon closes it
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void configureSocket(Socket socket) {
      options.configureSocket(socket);
    }

    @Override
    public Map<SocketOption<?>, Object> socketOptions() {
      return options.socketOptions();
    }

    @Override
    public Duration connectTimeout() {
      return options.connectTimeout();
    }

    @Override
    public Duration readTimeout() {
      return options.readTimeout();
    }

    @Override
    public Optional<Integer> socketReceiveBufferSize() {
      return options.socketReceiveBufferSize();
    }

    @Override
    public Optional<Integer> socketSendBufferSize() {
      return options.socketSendBufferSize();
    }

    @Override
    public boolean socketReuseAddress() {
      return options.socketReuseAddress();
    }

    @Override
    public boolean socketKeepAlive() {
      return options.socketKeepAlive();
    }

    @Override
    public boolean tcpNoDelay() {
      return options.tcpNoDelay();
    }
  }

  /** Between two requests Helidon's own idle-connection-timeout holds. */
  private final class Listening implements Http1ConnectionListener {
    @Override
    public void prologue(ConnectionContext connection, HttpPrologue prologue) {
      var now = now();
      visitors.askAgain(connection.remotePeer().address(), now, now + limits.headTime.toNanos());
    }

    @Override
    public void headers(ConnectionContext connection, Headers headers) {
      var now = now();
      visitors.ask(connection.remotePeer().address(), now, now + limits.requestTime.toNanos());
      proceed();
    }
  }
}
