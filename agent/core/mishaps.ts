// What a failed step leads to: before the swap it ends or postpones the attempt, after the swap it turns the swap back.
import { ATTEMPT_BACKOFF, nextDelayMs } from "./backoff.ts";
import { afterBuildMishap } from "./build-mishaps.ts";
import { end, troubleFrom } from "./ends.ts";
import type { Conclusion, In, Journal, Stage, State } from "./state.ts";
import type { Mishap, Step } from "./steps.ts";
import { concluding, enter, newAttempt, restoring } from "./transitions.ts";

type AfterMishap<S extends Stage> = (state: State, transaction: In<S>, mishap: Mishap, step: Step) => Journal;

/** Failed downloads in a row before the hub is told; the device goes on trying, more slowly. */
export const FETCH_FAILURES_TOLD = 8;
/** A service that holds on to the new file is asked this often to load the old one. */
const RELOADS_BACK = 3;

export function afterMishap(state: State, step: Step, mishap: Mishap): Journal {
  const { transaction } = state.journal;
  const afterHere = AFTER[transaction.stage] as AfterMishap<Stage>;
  return afterHere(state, transaction, mishap, step);
}

const AFTER: { [S in Stage]: AfterMishap<S> } = {
  resting: (state, _transaction, mishap, step) =>
    step.do === "begin" ? end(state, newAttempt(step.candidate, state.now), mishap) : state.journal,

  fetching: (state, transaction, mishap) => {
    const failures = mishap.progressed === true ? 1 : transaction.failures + 1;
    if (mishap.kind === "permanent" || failures >= FETCH_FAILURES_TOLD) return end(state, transaction.attempt, mishap);
    const delayMs = Math.max(nextDelayMs(failures, ATTEMPT_BACKOFF, state.jitter), mishap.retryAfterMs ?? 0);
    const notBefore = state.now + delayMs;
    const trouble = troubleFrom(mishap);
    return enter(state.journal, { ...transaction, failures, notBefore, trouble }, state.now);
  },

  checking: (state, { attempt, clean }, mishap) => {
    // A power cut may leave holes in a partial file that was resumed later: fetch once more from the first byte.
    if (mishap.code === "DIGEST_MISMATCH" && !clean) {
      return enter(
        state.journal,
        { stage: "fetching", attempt, failures: 0, notBefore: 0, clean: true, trouble: null },
        state.now,
      );
    }
    return end(state, attempt, mishap);
  },

  queued: afterBuildMishap,
  building: afterBuildMishap,

  // The way to the service is missing, which says nothing about the version: wait for it, more and more slowly.
  waiting: (state, transaction, mishap) => {
    const failures = transaction.failures + 1;
    const notBefore = state.now + nextDelayMs(failures, ATTEMPT_BACKOFF, state.jitter);
    return { ...state.journal, transaction: { ...transaction, failures, notBefore, trouble: troubleFrom(mishap) } };
  },

  measuring: (state, { attempt }, mishap) => end(state, attempt, mishap),

  activating: (state, transaction, mishap) => undo(state, transaction, mishap),
  examining: (state, transaction, mishap) => undo(state, transaction, mishap),
  soaking: (state, transaction, mishap) => undo(state, transaction, mishap),

  restoring: (state, transaction, mishap, step) => {
    if (step.do === "reload") {
      const failures = transaction.failures + 1;
      if (failures < RELOADS_BACK) {
        return { ...state.journal, transaction: { ...transaction, failures, cooling: true } };
      }
      // Whether the service has the old file all the same is for the review to see.
      if (transaction.swap.previous) return enter(state.journal, { ...transaction, stage: "reviewing" }, state.now);
      return concluding(state, transaction.attempt, transaction.verdict);
    }
    if (mishap.kind === "passing") return state.journal;
    const { code, message, nextStep } = mishap;
    const trouble = { code, message: `the old model could not be put back: ${message}`, next_step: nextStep };
    return concluding(state, transaction.attempt, transaction.verdict, { trouble });
  },

  reviewing: (state, { attempt, verdict }, { code, message, nextStep }) => {
    const trouble = { code, message: `the restored model could not be examined: ${message}`, next_step: nextStep };
    return concluding(state, attempt, verdict, { trouble });
  },

  // The outbox could not be written: stay, and write again.
  concluding: ({ journal }) => journal,
  blocked: (state, transaction, mishap, step) => {
    if (step.do === "begin") return end(state, newAttempt(step.candidate, state.now), mishap);
    // The next look comes at its time and tells more than the failure.
    if (step.do === "reload") return { ...state.journal, transaction: { ...transaction, reload: false } };
    return state.journal;
  },
};

type Swapped = In<"activating"> | In<"examining"> | In<"soaking">;

function undo(state: State, { attempt, swap }: Swapped, mishap: Mishap): Journal {
  const { code, message, nextStep } = mishap;
  const evidence = { ...swap.evidence, ...mishap.evidence };
  const verdict: Conclusion = { outcome: "rolled-back", code, message, nextStep, evidence, refuse: true };
  return restoring(state.journal, attempt, swap, verdict, state.now);
}
