package net.coderanger.migrations.waiter;

import module java.base;

import io.helidon.common.buffers.DataReader.InsufficientDataAvailableException;
import io.helidon.common.tls.Tls;
import io.helidon.http.HeaderNames;
import io.helidon.webclient.api.Proxy;
import io.helidon.webclient.http1.Http1Client;
import io.helidon.webclient.http1.Http1ClientResponse;
import java.net.NoRouteToHostException;
import javax.net.ssl.SSLException;
import net.coderanger.migrations.api.Vocabulary;

/** The migrator-controller's gate: asked over TLS as the pod, it answers line by line. */
final class Gate {
  /** What a connection brings. */
  sealed interface Signal {
    record Heard(Event event) implements Signal {}

    /** The last one of a connection. */
    record Lost(Fault fault) implements Signal {}
  }

  static final String CONTENT_TYPE = "application/x-ndjson";

  /** RFC 6750. Anything else could break the header, and the client would quote it in its error. */
  private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9._~+/-]+=*");

  private static final int MAX_REFUSAL_BYTES = 2048;

  private final Http1Client client;
  private final String path;
  private final Path token;

  Gate(Settings settings) {
    path = Vocabulary.GATE_PATH + settings.migrator() + Vocabulary.GATE_PATH_END;
    token = settings.token();
    client =
        Http1Client.builder()
            .servicesDiscoverServices(false)
            .baseUri(settings.gate())
            .tls(Tls.builder().trust(settings.authorities()).build())
            .proxy(Proxy.noProxy())
            .followRedirects(false)
            .keepAlive(false)
            .connectTimeout(settings.connectTimeout())
            .readTimeout(settings.pace().silence())
            .dnsResolver((host, _) -> resolved(host, settings.address()))
            .build();
  }

  /**
   * The certificate must be the URL's host's in any case. The client takes the name to verify from
   * the address, so an address without a name would be verified by what reverse DNS says of it.
   */
  private static InetAddress resolved(String host, Optional<InetAddress> address) {
    try {
      return address.isPresent()
          ? InetAddress.getByAddress(host, address.get().getAddress())
          : InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Begins a connection; everything else of it comes as signals. */
  Connection ask() {
    return new Connection();
  }

  /**
   * One connection, on a thread of its own: closing it ends a read, a handshake or a connect
   * wherever it hangs, because the JDK closes the socket of an interrupted virtual thread.
   */
  final class Connection implements AutoCloseable {
    private final BlockingQueue<Signal> signals = new ArrayBlockingQueue<>(16);
    private final Thread thread = Thread.startVirtualThread(this::run);

    private Connection() {}

    /** The next signal, or empty after a while. */
    Optional<Signal> next(Duration patience) throws InterruptedException {
      return Optional.ofNullable(signals.poll(patience.toNanos(), TimeUnit.NANOSECONDS));
    }

    @Override
    public void close() {
      thread.interrupt();
    }

    private void run() {
      try {
        signals.put(new Signal.Lost(talk()));
      } catch (InterruptedException _) {
        // Closed: nobody listens any more.
      }
    }

    private Fault talk() throws InterruptedException {
      try {
        var bearer = Files.readString(token).strip();
        if (!TOKEN.matcher(bearer).matches()) {
          return Fault.of("The token file %s does not hold a token".formatted(token));
        }
        try (var response =
            client
                .get(path)
                .header(HeaderNames.AUTHORIZATION, "Bearer " + bearer)
                .header(HeaderNames.ACCEPT, CONTENT_TYPE)
                .request()) {
          return listen(response);
        }
      } catch (NoSuchFileException _) {
        return Fault.of("The token file %s does not exist".formatted(token));
      } catch (AccessDeniedException _) {
        return Fault.of("The token file %s cannot be read".formatted(token));
      } catch (InterruptedException e) {
        throw e;
      } catch (Throwable e) {
        // Errors too: whatever goes wrong here, the waiter stays and asks again.
        return fault(e);
      }
    }

    private Fault listen(Http1ClientResponse response) throws IOException, InterruptedException {
      var status = response.status();
      if (status.code() != 200) {
        var text = "The gate answers %d %s".formatted(status.code(), status.reasonPhrase()).strip();
        return new Fault(text + refusal(response), retryAfter(response));
      }
      if (!contentType(response).equals(CONTENT_TYPE)) {
        return Fault.of("The gate's answer is not of type " + CONTENT_TYPE);
      }
      try {
        var lines = new Lines(response.inputStream());
        while (true) {
          var line = lines.next();
          if (line.isEmpty()) {
            return Fault.of("The gate closed the connection");
          }
          signals.put(new Signal.Heard(Event.parse(line.get())));
        }
      } catch (Lines.TooLong _) {
        return Fault.of(
            "The gate's answer has a line of more than %d bytes".formatted(Lines.MAX_BYTES));
      } catch (Event.Malformed e) {
        return Fault.of("The gate's answer is not understood: " + e.getMessage());
      }
    }
  }

  /** What a refusal says for people: a text, or the message of a JSON object. */
  private static String refusal(Http1ClientResponse response) {
    try {
      var body =
          new String(response.inputStream().readNBytes(MAX_REFUSAL_BYTES), StandardCharsets.UTF_8);
      var text =
          switch (contentType(response)) {
            case "text/plain" -> body.strip();
            case "application/json" -> Event.members(body).getOrDefault("message", "");
            default -> "";
          };
      return text.isEmpty() ? "" : ": " + text;
    } catch (IOException | RuntimeException | Event.Malformed _) {
      // The status has said what matters.
      return "";
    }
  }

  private static String contentType(Http1ClientResponse response) {
    var value = response.headers().first(HeaderNames.CONTENT_TYPE).orElse("");
    return value.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
  }

  /** In seconds, as the gate writes it; a date is not understood. */
  private static Optional<Duration> retryAfter(Http1ClientResponse response) {
    return response
        .headers()
        .first(HeaderNames.RETRY_AFTER)
        .map(String::strip)
        .filter(it -> it.matches("\\d{1,9}"))
        .map(it -> Duration.ofSeconds(Long.parseLong(it)));
  }

  private static Fault fault(Throwable thrown) {
    Throwable cause = thrown;
    while (cause.getCause() != null && !(cause instanceof SSLException)) {
      cause = cause.getCause();
    }
    return Fault.of(
        switch (cause) {
          // Its message differs when the answer comes from the JDK's cache.
          case UnknownHostException _ -> "The gate's host name is not found";
          case ConnectException e -> "The gate does not accept connections: " + e.getMessage();
          case NoRouteToHostException _ -> "There is no route to the gate";
          case SocketTimeoutException _ -> "The gate does not answer in time";
          // Another server has got the address since, or the operator another CA: what this pod
          // was told of them when it was made never changes.
          case SSLException e ->
              "The gate cannot be trusted: %s; if that stays so, delete the pod: its successor is told the gate's present address and CA"
                  .formatted(e.getMessage());
          case SocketException _, EOFException _, InsufficientDataAvailableException _ ->
              "The connection to the gate broke";
          default -> "The gate's answer broke off: " + cause.getClass().getSimpleName();
        });
  }
}
