// How an attempt ends for a mishap before anything that runs was touched.
import type { Trouble } from "@context-edge/protocol";
import type { AttemptRecord, Candidate, Conclusion, Journal, State } from "./state.ts";
import type { Mishap } from "./steps.ts";
import { concluding } from "./transitions.ts";

export function end(state: State, attempt: AttemptRecord, mishap: Mishap): Journal {
  return concluding(state, attempt, unsuccessful(mishap, attempt.candidate));
}

export function troubleFrom({ code, message, nextStep }: Mishap): Trouble {
  return { code, message, next_step: nextStep };
}

function unsuccessful({ kind, code, message, nextStep, evidence }: Mishap, candidate: Candidate): Conclusion {
  const isPermanent = kind === "permanent";
  return {
    outcome: isPermanent ? "rejected" : "failed",
    code,
    message: `${candidate.version} was ${isPermanent ? "rejected" : "not installed"}: ${message}`,
    nextStep,
    evidence: evidence ?? {},
    refuse: isPermanent,
  };
}
