package net.coderanger.migrations.waiter;

import module java.base;

import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import io.helidon.config.yaml.YamlConfigParser;

/** The init container: asks the gate, waits, says why, and ends with 0 when the pod may start. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) throws InterruptedException {
    System.exit(run(config(), System.out));
  }

  static Config config() {
    return Config.builder()
        .disableSystemPropertiesSource()
        .disableParserServices()
        .addParser(YamlConfigParser.create())
        .addSource(ConfigSources.classpath("application.yaml"))
        .build();
  }

  /** The exit code. */
  static int run(Config config, PrintStream out) throws InterruptedException {
    var clock = steady();
    var voice = new Voice(out, Settings.terminationLog(config), clock);
    try {
      waitForRelease(Settings.of(config), voice, clock);
      return 0;
    } catch (Settings.Invalid e) {
      voice.say(
          e.getMessage() + ". The pod cannot start; was this container made by the injector?");
      return 1;
    }
  }

  private static void waitForRelease(Settings settings, Voice voice, InstantSource clock)
      throws InterruptedException {
    var marker = new Marker(settings.marker(), settings.podUid());
    if (marker.isOurs()) {
      voice.say("This pod was released before");
      return;
    }
    var gate = new Gate(settings);
    var vigil =
        new Vigil(
            settings.migrator(),
            settings.pace(),
            ThreadLocalRandom.current()::nextDouble,
            clock.instant());
    var answer = vigil.begin(settings.gate());
    Optional<Gate.Connection> connection = Optional.empty();
    while (true) {
      voice.say(answer.say());
      switch (answer.next()) {
        case Vigil.Next.Ask _ -> {
          connection = Optional.of(gate.ask());
          answer = vigil.asking(clock.instant());
        }
        case Vigil.Next.Listen(var until) -> {
          var signal = connection.orElseThrow().next(Duration.between(clock.instant(), until));
          var now = clock.instant();
          answer =
              switch (signal.orElse(null)) {
                case null -> vigil.idle(now);
                case Gate.Signal.Heard(var event) -> vigil.heard(event, now);
                case Gate.Signal.Lost(var fault) -> vigil.lost(fault, now);
              };
        }
        case Vigil.Next.Pause(var until) -> {
          connection.ifPresent(Gate.Connection::close);
          connection = Optional.empty();
          TimeUnit.NANOSECONDS.sleep(Duration.between(clock.instant(), until).toNanos());
          answer = new Vigil.Answer("", new Vigil.Next.Ask());
        }
        case Vigil.Next.Open _ -> {
          connection.ifPresent(Gate.Connection::close);
          remember(marker, voice);
          return;
        }
      }
    }
  }

  private static void remember(Marker marker, Voice voice) {
    try {
      marker.write();
    } catch (IOException e) {
      voice.say("Released; a restart of this container would ask again: " + e);
    }
  }

  /** Of the start, moved on by the monotonic clock: a corrected clock ends or stretches no wait. */
  private static InstantSource steady() {
    var start = Instant.now();
    var nanos = System.nanoTime();
    return () -> start.plusNanos(System.nanoTime() - nanos);
  }
}
