package net.coderanger.migrations.kube;

import module java.base;

import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;

/**
 * A server's SSLContext that waits for the first byte of a connection before it begins TLS on it:
 * who says nothing costs a parked thread, and not the buffers of a TLS connection. The server must
 * layer TLS over accepted sockets by the factory's {@code createSocket(Socket, InputStream,
 * boolean)}, as Helidon does without NIO.
 */
final class FirstWord extends SSLContext {
  /** What the context tells of the connections, by the threads that serve them. */
  interface Listener {
    /** The first byte has come; TLS begins when this returns. */
    void spoke(SocketAddress peer) throws IOException;

    /** The connection has ended without one. */
    void left(SocketAddress peer);
  }

  FirstWord(SSLContext context, Listener listener) {
    super(new Delegating(context, listener), context.getProvider(), context.getProtocol());
  }

  private static final class Delegating extends SSLContextSpi {
    private final SSLContext context;
    private final SSLSocketFactory factory;

    private Delegating(SSLContext context, Listener listener) {
      this.context = context;
      this.factory = new Factory(context.getSocketFactory(), listener);
    }

    @Override
    protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random) {
      throw new IllegalStateException("it has been");
    }

    @Override
    protected SSLSocketFactory engineGetSocketFactory() {
      return factory;
    }

    @Override
    protected SSLServerSocketFactory engineGetServerSocketFactory() {
      return context.getServerSocketFactory();
    }

    @Override
    protected SSLEngine engineCreateSSLEngine() {
      return context.createSSLEngine();
    }

    @Override
    protected SSLEngine engineCreateSSLEngine(String host, int port) {
      return context.createSSLEngine(host, port);
    }

    @Override
    protected SSLSessionContext engineGetServerSessionContext() {
      return context.getServerSessionContext();
    }

    @Override
    protected SSLSessionContext engineGetClientSessionContext() {
      return context.getClientSessionContext();
    }

    @Override
    protected SSLParameters engineGetDefaultSSLParameters() {
      return context.getDefaultSSLParameters();
    }

    @Override
    protected SSLParameters engineGetSupportedSSLParameters() {
      return context.getSupportedSSLParameters();
    }
  }

  private static final class Factory extends SSLSocketFactory {
    private final SSLSocketFactory factory;
    private final Listener listener;

    private Factory(SSLSocketFactory factory, Listener listener) {
      this.factory = factory;
      this.listener = listener;
    }

    @Override
    public Socket createSocket(Socket socket, InputStream consumed, boolean autoClose)
        throws IOException {
      var peer = socket.getRemoteSocketAddress(); // once it is closed, nobody knows any more
      var first = -1;
      try {
        first = socket.getInputStream().read();
      } finally {
        if (first < 0) {
          listener.left(peer);
        }
      }
      if (first < 0) {
        throw new EOFException("not a word");
      }
      listener.spoke(peer);
      return factory.createSocket(
          socket, new ByteArrayInputStream(new byte[] {(byte) first}), autoClose);
    }

    @Override
    public Socket createSocket(Socket socket, String host, int port, boolean autoClose)
        throws IOException {
      return factory.createSocket(socket, host, port, autoClose);
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
      return factory.createSocket(host, port);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort)
        throws IOException {
      return factory.createSocket(host, port, local, localPort);
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
      return factory.createSocket(host, port);
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort)
        throws IOException {
      return factory.createSocket(host, port, local, localPort);
    }

    @Override
    public String[] getDefaultCipherSuites() {
      return factory.getDefaultCipherSuites();
    }

    @Override
    public String[] getSupportedCipherSuites() {
      return factory.getSupportedCipherSuites();
    }
  }
}
