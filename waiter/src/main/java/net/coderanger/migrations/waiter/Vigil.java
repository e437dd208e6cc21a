package net.coderanger.migrations.waiter;

import module java.base;

import net.coderanger.migrations.waiter.Event.Heartbeat;
import net.coderanger.migrations.waiter.Event.Reconnect;
import net.coderanger.migrations.waiter.Event.Released;
import net.coderanger.migrations.waiter.Event.Unknown;
import net.coderanger.migrations.waiter.Event.Waiting;

/**
 * What to do and what to say, from the start to the release: it is told what happened and answers
 * what comes next. Knows no network, no clock and no output.
 *
 * <p>Only {@link Event.Released} leads to {@link Next.Open}; a fault of any kind leads to a pause
 * and another try.
 */
final class Vigil {
  /** What comes next. */
  sealed interface Next {
    /** Ask the gate, on a new connection. */
    record Ask() implements Next {}

    /** Listen until then for a line. */
    record Listen(Instant until) implements Next {}

    /** Leave the gate alone until then. */
    record Pause(Instant until) implements Next {}

    /** Done: the pod may start. */
    record Open() implements Next {}
  }

  /**
   * @param say what to tell people; empty when nothing has changed
   */
  record Answer(String say, Next next) {}

  private final String migrator;
  private final Pace pace;
  private final DoubleSupplier jitter;
  private final Instant since;

  private Instant asked;
  private Instant heard;
  private Instant said;
  private int failures;

  /** The last thing said of the migration and of the gate. */
  private String state = "the gate has not been reached yet";

  private Optional<Waiting> waiting = Optional.empty();
  private Optional<Fault> fault = Optional.empty();

  Vigil(String migrator, Pace pace, DoubleSupplier jitter, Instant now) {
    this.migrator = migrator;
    this.pace = pace;
    this.jitter = jitter;
    since = now;
    asked = now;
    heard = now;
    said = now;
  }

  Answer begin(URI gate) {
    return new Answer(
        "Waiting for the migrations of Migrator %s; asking %s".formatted(migrator, gate),
        new Next.Ask());
  }

  /** A connection was begun. */
  Answer asking(Instant now) {
    asked = now;
    heard = now;
    return listen("", now);
  }

  Answer heard(Event event, Instant now) {
    heard = now;
    return switch (event) {
      case Released _ ->
          new Answer(
              "Released after %s: the image is migrated".formatted(duration(now)), new Next.Open());
      case Waiting news -> waiting(news, now);
      case Reconnect _ -> sentOn(now);
      case Heartbeat _, Unknown _ -> reminded(now);
    };
  }

  /** The connection ended, or was never made. */
  Answer lost(Fault news, Instant now) {
    var pause = pauseAfterFailure(news.retryAfter(), now);
    if (fault.map(Fault::text).equals(Optional.of(news.text()))) {
      return new Answer(reminded(now).say(), pause);
    }
    fault = Optional.of(news);
    state = "%s; the pod waits, and the waiter keeps trying".formatted(news.text());
    return new Answer(say(sentence(state), now), pause);
  }

  /** No fault, and nothing that people need to know; but a gate that does only this is paced. */
  private Answer sentOn(Instant now) {
    return new Answer(reminded(now).say(), pauseAfterFailure(Optional.empty(), now));
  }

  private Next.Pause pauseAfterFailure(Optional<Duration> retryAfter, Instant now) {
    // A gate that greets and hangs up is no better than one that is away.
    failures = !pace.max().minus(Duration.between(asked, now)).isPositive() ? 1 : failures + 1;
    return new Next.Pause(now.plus(pace.pause(failures, retryAfter, jitter.getAsDouble())));
  }

  /** The time of the last answer has come and nothing has happened. */
  Answer idle(Instant now) {
    if (!heard.plus(pace.silence()).isAfter(now)) {
      return lost(Fault.of("No word from the gate for " + seconds(pace.silence())), now);
    }
    return reminded(now);
  }

  private Answer waiting(Waiting news, Instant now) {
    if (fault.isEmpty() && waiting.equals(Optional.of(news))) {
      return reminded(now);
    }
    fault = Optional.empty();
    waiting = Optional.of(news);
    state = text(news);
    return listen(say(state, now), now);
  }

  private Answer reminded(Instant now) {
    if (said.plus(pace.reminder()).isAfter(now)) {
      return listen("", now);
    }
    return listen(say("Still waiting after %s: %s".formatted(duration(now), state), now), now);
  }

  private Answer listen(String say, Instant now) {
    var silent = heard.plus(pace.silence());
    var remind = said.plus(pace.reminder());
    return new Answer(
        say, new Next.Listen(remind.isAfter(now) && remind.isBefore(silent) ? remind : silent));
  }

  private String say(String text, Instant now) {
    said = now;
    return text;
  }

  private static String text(Waiting waiting) {
    var about = new StringJoiner(", ", " (", ")").setEmptyValue("");
    if (!waiting.job().isEmpty()) {
      about.add("Job " + waiting.job());
    }
    if (waiting.attempt() > 0) {
      about.add("attempt " + waiting.attempt());
    }
    var reason = waiting.reason().isEmpty() ? "Waiting" : waiting.reason();
    var message = waiting.message().isEmpty() ? "" : ": " + waiting.message();
    return reason + about + message;
  }

  private static String sentence(String text) {
    return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
  }

  private String duration(Instant now) {
    return seconds(Duration.between(since, now));
  }

  private static String seconds(Duration duration) {
    var minutes = duration.toMinutes();
    var seconds = duration.toSecondsPart() + " s";
    return minutes == 0 ? seconds : "%d min %s".formatted(minutes, seconds);
  }
}
