package net.coderanger.migrations.waiter;

import module java.base;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;

/** A real TLS server that answers each request as the next script says, byte for byte. */
final class StandInGate implements AutoCloseable {
  /** What one connection gets. */
  interface Script {
    void answer(Caller caller) throws Exception;
  }

  /**
   * @param request the head of the request, in one line each
   */
  record Caller(List<String> request, InputStream in, OutputStream out) {
    void send(String text) throws IOException {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      out.flush();
    }

    void chunk(String text) throws IOException {
      var length = text.getBytes(StandardCharsets.UTF_8).length;
      send(Integer.toHexString(length) + "\r\n" + text + "\r\n");
    }

    /** Says nothing more until the caller is gone. */
    void hold() {
      try {
        in.transferTo(OutputStream.nullOutputStream());
      } catch (IOException _) {
        // gone
      }
    }
  }

  static final String HEAD =
      "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
  static final String RELEASED = "{\"type\":\"released\"}\n";

  private final SSLServerSocket server;
  private final Queue<Script> scripts = new ConcurrentLinkedQueue<>();
  private final List<List<String>> requests = new CopyOnWriteArrayList<>();

  StandInGate(SSLContext tls) throws IOException {
    server =
        (SSLServerSocket)
            tls.getServerSocketFactory().createServerSocket(0, 0, InetAddress.getLoopbackAddress());
    Thread.startVirtualThread(this::serve);
  }

  /** A 200 with these lines, each flushed by itself, and a proper end. */
  static Script lines(String... lines) {
    return caller -> {
      caller.send(HEAD);
      for (var line : lines) {
        caller.chunk(line);
      }
      caller.send("0\r\n\r\n");
    };
  }

  static Script raw(String answer) {
    return caller -> caller.send(answer);
  }

  static Script status(String status, String... headers) {
    var all = Stream.concat(Arrays.stream(headers), Stream.of("Content-Length: 0", "", ""));
    return raw("HTTP/1.1 %s\r\n%s".formatted(status, all.collect(Collectors.joining("\r\n"))));
  }

  static Script released() {
    return lines(RELEASED);
  }

  StandInGate then(Script script) {
    scripts.add(script);
    return this;
  }

  /** The heads of the requests that came through TLS. */
  List<List<String>> requests() {
    return requests;
  }

  int port() {
    return server.getLocalPort();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }

  private void serve() {
    while (!server.isClosed()) {
      try {
        var socket = server.accept();
        Thread.startVirtualThread(() -> answer(socket));
      } catch (IOException _) {
        // closed
      }
    }
  }

  private void answer(Socket socket) {
    try (socket) {
      var head = head(socket.getInputStream());
      requests.add(head);
      var script = Objects.requireNonNullElse(scripts.poll(), status("503 Service Unavailable"));
      script.answer(new Caller(head, socket.getInputStream(), socket.getOutputStream()));
    } catch (Exception _) {
      // An impostor is refused within the handshake, a dead connection is dropped: as intended.
    }
  }

  private static List<String> head(InputStream in) throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      var next = in.read();
      if (next < 0) {
        throw new EOFException();
      }
      head.append((char) next);
    }
    return head.toString().strip().lines().toList();
  }
}
