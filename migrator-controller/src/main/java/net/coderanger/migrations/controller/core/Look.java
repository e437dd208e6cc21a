package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.Reason;

/** One look at a Migrator: what is seen, and the decision in the making. */
final class Look {
  final Observed seen;
  final Intent intent;
  final Survey survey;
  final Draft draft;
  private final List<Effect> effects = new ArrayList<>();
  private Optional<Duration> again = Optional.empty();
  private boolean confirm;

  Look(Observed seen) {
    this.seen = seen;
    intent = seen.intent();
    survey = Survey.of(seen);
    draft = new Draft(intent, seen.status(), seen.now());
  }

  /** The images that are wanted and that nothing but their turn keeps from being migrated. */
  List<Wanted> startable() {
    var memory = draft.memory();
    return Wanted.of(intent, memory, survey).stream()
        .filter(
            wanted ->
                memory.isRunRequested()
                    || !memory.isFailedForGood(wanted.image(), wanted.lender().template()))
        .toList();
  }

  /** Whether the newest revision of a workload still uses this image. */
  Optional<Survey.Candidate> newestLender(String image) {
    return survey.lender(image).filter(survey::isNewest);
  }

  void add(Effect effect) {
    effects.add(effect);
  }

  /** Deletes a Job that may not have ended, which cannot be taken back. */
  void deleteUnended(JobView job) {
    confirm = true;
    effects.add(new Effect.Delete(job.name(), job.uid()));
  }

  void guard() {
    if (!intent.guarded() && !intent.deleting()) {
      effects.add(new Effect.Guard());
    }
  }

  void unguard() {
    if (intent.guarded()) {
      confirm = true;
      effects.add(new Effect.Unguard());
    }
  }

  void tell(boolean warning, Reason reason, String message) {
    effects.add(new Effect.Tell(warning, reason, message, Optional.empty()));
  }

  void tell(boolean warning, Reason reason, String message, PodView.Owner regarding) {
    effects.add(new Effect.Tell(warning, reason, message, Optional.of(regarding)));
  }

  /** What follows from this look holds only if it is so in truth, not in a stale cache. */
  void confirm() {
    confirm = true;
  }

  void again(Duration delay) {
    again = Optional.of(again.filter(sooner -> sooner.compareTo(delay) < 0).orElse(delay));
  }

  Decision decision() {
    return new Decision(
        draft.status(),
        List.copyOf(effects),
        again,
        confirm,
        Stray.of(intent, draft.memory(), survey));
  }
}
