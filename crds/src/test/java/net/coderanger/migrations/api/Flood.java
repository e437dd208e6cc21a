package net.coderanger.migrations.api;

import module java.base;

import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509TrustManager;

/**
 * Connections to a TLS server that keep it waiting, in all ways there are, made by a process of
 * their own: neither their memory nor their sockets are the server's.
 */
public final class Flood implements AutoCloseable {
  private static final String ARRIVED = "arrived";
  private static final String HUNG_UP_ON = "hung up on";

  private final Process process;
  private final BufferedReader said;

  /**
   * Begins.
   *
   * @param idle connections that say nothing
   * @param ofEachKind that stop within the TLS handshake, trickle a head, or stop within a head
   */
  public Flood(int port, int idle, int ofEachKind) throws IOException {
    var classes = Flood.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classes,
                "-Xmx512m",
                Flood.class.getName(),
                String.valueOf(port),
                String.valueOf(idle),
                String.valueOf(ofEachKind))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    said = process.inputReader();
  }

  /** Until all of them have come, whether they were hung up on since or not. */
  public void awaitArrived() throws IOException {
    await(ARRIVED);
  }

  /** Until the server has hung up on all of them. */
  public void awaitHungUpOn() throws IOException {
    await(HUNG_UP_ON);
  }

  private void await(String line) throws IOException {
    var next = said.readLine();
    if (!line.equals(next)) {
      throw new IllegalStateException("the flood has ended, it said: " + next);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }

  /** Arguments: port, idle, of each kind. */
  public static void main(String[] arguments) throws Exception {
    var flood = new Flooding(Integer.parseInt(arguments[0]));
    var ofEachKind = Integer.parseInt(arguments[2]);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var i = 0; i < ofEachKind; i++) {
        threads.submit(() -> flood.keepWaiting(flood::stopsInHandshake));
        threads.submit(() -> flood.keepWaiting(flood::tricklesHead));
        threads.submit(() -> flood.keepWaiting(flood::stopsInHead));
      }
      var idle = new ArrayList<SocketChannel>();
      for (var i = 0; i < Integer.parseInt(arguments[1]); i++) {
        idle.add(SocketChannel.open(flood.server));
      }
      flood.arrived.acquire(3 * ofEachKind);
      System.out.println(ARRIVED);
      for (var one : idle) {
        Flooding.awaitEnd(Channels.newInputStream(one));
      }
    }
    System.out.println(HUNG_UP_ON);
  }

  /** One who keeps the server waiting until it hangs up. */
  private interface Dawdler {
    void dawdle(Socket socket) throws IOException, InterruptedException;
  }

  private static final class Flooding {
    private final InetSocketAddress server;
    private final Semaphore arrived = new Semaphore(0);
    private final SSLContext tls;

    private Flooding(int port) throws GeneralSecurityException {
      server = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
      tls = SSLContext.getInstance("TLS");
      tls.init(null, new X509TrustManager[] {new Anybody()}, null);
    }

    private void keepWaiting(Dawdler dawdler) {
      try (var socket = new Socket()) {
        socket.connect(server);
        dawdler.dawdle(socket);
      } catch (IOException _) {
        // hung up on
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }

    private void stopsInHandshake(Socket socket) throws IOException {
      // A record of a handshake, TLS 1.2 or later, of 512 bytes that never come.
      socket.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1});
      arrived.release();
      awaitEnd(socket.getInputStream());
    }

    private void tricklesHead(Socket socket) throws IOException, InterruptedException {
      var out = begunRequest(socket).getOutputStream();
      while (true) {
        out.write("X-A: b\r\n".getBytes(StandardCharsets.US_ASCII));
        Thread.sleep(200);
      }
    }

    private void stopsInHead(Socket socket) throws IOException {
      awaitEnd(begunRequest(socket).getInputStream());
    }

    private Socket begunRequest(Socket plain) throws IOException {
      try {
        var socket =
            (SSLSocket)
                tls.getSocketFactory().createSocket(plain, "server", server.getPort(), true);
        socket.startHandshake();
        socket
            .getOutputStream()
            .write("GET / HTTP/1.1\r\nHost: server\r\n".getBytes(StandardCharsets.US_ASCII));
        return socket;
      } finally {
        arrived.release();
      }
    }

    private static void awaitEnd(InputStream in) {
      try {
        while (in.read() >= 0) {
          // an answer, before it is hung up on
        }
      } catch (IOException _) {
        // hung up on
      }
    }
  }

  private static final class Anybody implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
