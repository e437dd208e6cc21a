package net.coderanger.migrations.kube;

import module java.base;

/**
 * Whether the API server can be reached, by what became of the calls to it, and what is to be told
 * of it: the begin of an outage and its end. On a way that fails now and then it is told once a
 * minute, with how many calls failed since.
 */
final class Outage {
  private static final Duration QUIET = Duration.ofMinutes(1);

  private Optional<Instant> since = Optional.empty();
  private boolean told;
  private Instant lastTold = Instant.MIN;
  private int failed;

  /** A call got no answer, because of this; answers what to tell. */
  Optional<String> failed(String fault, Instant now) {
    since = since.or(() -> Optional.of(now));
    failed++;
    if (told || now.isBefore(quietUntil())) {
      return Optional.empty();
    }
    told = true;
    lastTold = now;
    return Optional.of(
        failed == 1
            ? "The API server cannot be reached, which is tried again and again: " + fault
            : "The API server cannot be reached, %d calls failed since this was told last: %s"
                .formatted(failed, fault));
  }

  private Instant quietUntil() {
    return lastTold.equals(Instant.MIN) ? Instant.MIN : lastTold.plus(QUIET);
  }

  /** A call was answered; answers what to tell. */
  Optional<String> answered(Instant now) {
    if (since.isEmpty()) {
      return Optional.empty();
    }
    var begin = since.get();
    since = Optional.empty();
    if (!told) {
      return Optional.empty();
    }
    told = false;
    lastTold = now;
    var calls = failed;
    failed = 0;
    return Optional.of(
        "The API server can be reached again, after %d s and %d calls that failed"
            .formatted(Duration.between(begin, now).toSeconds(), calls));
  }
}
