package net.coderanger.migrations.controller.core;

import module java.base;

import net.coderanger.migrations.api.Reason;

/**
 * Decides what is to be done about one Migrator: from observed state to a decision, without any
 * input or output. Whatever changes the current run is written first and acted upon at the next
 * look, so that a crash between the two loses nothing.
 */
public final class Decider {
  private Decider() {}

  /** Decides. Deterministic, and idempotent: what was written and done is not decided again. */
  public static Decision decide(Observed seen) {
    var look = new Look(seen);
    var draft = look.draft;
    if (Original.wrote(draft.status())) {
      draft.adopt(
          Original.successes(
              look.intent, look.survey, draft.status().getLastSuccessfulMigration()));
    }
    var remains = new Remains(look);
    if (draft.current().isEmpty()) {
      remains.orphan().ifPresent(draft::adopt);
    }
    var start = new Start(look, remains);
    var choice = new Choice(look, remains, start);
    var standing =
        draft
            .current()
            .map(run -> new Pursuit(look, start, choice).pursue(run))
            .orElseGet(choice::choose);
    remains.clearAway();
    draft.forgetAllBut(look.survey.images());
    var templates = look.survey.templateImages();
    if (!templates.isEmpty()) {
      draft.forgiveAllBut(templates::contains);
    }
    draft.conclude(standing, look.survey.waiting(look.intent.name()));
    return look.decision();
  }

  /**
   * What remains to be done when the API server refuses the Job of a start: to say so. The start is
   * decided again at the next look.
   *
   * @param refusal what the API server said
   */
  public static Decision refused(Observed seen, Effect.Start start, String refusal) {
    var look = new Look(seen);
    var message =
        "Image %s cannot be migrated, Job %s is refused: %s; correct what it names, the operator tries again"
            .formatted(start.image(), start.jobName(), refusal);
    if (!look.draft.readyMessage().equals(message)) {
      look.tell(true, Reason.MigrationsQueued, message);
    }
    look.draft.conclude(
        Standing.reconciling(Reason.MigrationsQueued, message),
        look.survey.waiting(look.intent.name()));
    return look.decision();
  }
}
