// Entering stages: each move notes the phase and its time in the attempt, so that a reader sees the whole way.
import { DEFAULT_MODEL, type Phase, ProbePolicy, type Trouble } from "@context-edge/protocol";
import { timestamp } from "./instant.ts";
import {
  type AttemptRecord,
  type Candidate,
  type Conclusion,
  type Journal,
  phaseOf,
  type State,
  type Swap,
  type Transaction,
} from "./state.ts";

/** The report's schema allows no more. */
const STEPS_KEPT = 64;

export function newAttempt(candidate: Candidate, now: number): AttemptRecord {
  // One attempt at a time and per instant: the start names it, and no chance is needed.
  const id = `${candidate.model}-${candidate.digest.slice(0, 12)}-${now}`;
  return { id, candidate, startedAt: timestamp(now), steps: [], resumptions: 0 };
}

export function enter(journal: Journal, transaction: Transaction, now: number): Journal {
  if (!("attempt" in transaction)) return { ...journal, transaction };
  const attempt = noted(transaction.attempt, phaseOf(transaction), now);
  return { ...journal, transaction: { ...transaction, attempt } };
}

/** Sets out on the way back. */
export function restoring(
  journal: Journal,
  attempt: AttemptRecord,
  swap: Swap,
  verdict: Conclusion,
  now: number,
): Journal {
  return enter(journal, { stage: "restoring", attempt, swap, verdict, failures: 0, cooling: false }, now);
}

export function concluding(
  { journal, now }: State,
  attempt: AttemptRecord,
  conclusion: Conclusion,
  more: { trouble?: Trouble | null; ownRequests?: number } = {},
): Journal {
  const phase = journal.transaction.stage === "resting" ? "verifying" : phaseOf(journal.transaction);
  const { trouble = null, ownRequests = 0 } = more;
  return enter(journal, { stage: "concluding", attempt, conclusion, phase, trouble, ownRequests }, now);
}

function noted(attempt: AttemptRecord, phase: Phase, now: number): AttemptRecord {
  if (attempt.steps.at(-1)?.phase === phase || attempt.steps.length >= STEPS_KEPT) return attempt;
  return { ...attempt, steps: [...attempt.steps, { phase, at: timestamp(now) }] };
}

/** Stands for "no deployment asked for this": the agent mended its own slot. */
export const REPAIR: Candidate = {
  model: DEFAULT_MODEL,
  version: "unknown",
  digest: "0".repeat(64),
  sizeBytes: 1,
  format: "trt",
  release: 0,
  minimumRelease: 0,
  deploymentId: "local-repair",
  retry: 0,
  policy: ProbePolicy.parse({}),
};
