// How attempts end: the report for the hub, and what the device remembers so that it neither forgets nor repeats.
import type { OutcomeReport } from "@context-edge/protocol";
import { ATTEMPT_BACKOFF, nextDelayMs } from "./backoff.ts";
import { timestamp } from "./instant.ts";
import { raisedMinimum } from "./release.ts";
import { recipeOf } from "./built.ts";
import { findRefusal, isOf, type Refusal } from "./refusal.ts";
import type { AttemptRecord, Conclusion, In, Journal, State } from "./state.ts";

/** Oldest refusals are forgotten beyond this; the report's schema allows 256. */
const REFUSALS_KEPT = 256;

export function reportOf(attempt: AttemptRecord, conclusion: Conclusion, now: number): OutcomeReport {
  const { candidate } = attempt;
  return {
    model: candidate.model,
    version: candidate.version,
    digest: candidate.digest,
    deployment_id: candidate.deploymentId,
    outcome: conclusion.outcome,
    code: conclusion.code,
    message: conclusion.message.slice(0, 2_000),
    next_step: conclusion.nextStep.slice(0, 2_000),
    at: timestamp(now),
    evidence: conclusion.evidence,
  };
}

/**
 * What remains once the end of an attempt is safely in the outbox.
 * @param jitter 0 ≤ jitter < 1, for the wait after a failure
 */
export function remember({ journal, now, jitter }: State, ended: In<"concluding">, report: OutcomeReport): Journal {
  const { attempt, conclusion } = ended;
  const { candidate } = attempt;
  const others = journal.refusals.filter((one) => !isOf(one, candidate));
  const refusals = conclusion.refuse ? [...others, refusalOf(journal, ended)].slice(-REFUSALS_KEPT) : others;
  const committed = conclusion.outcome === "committed";
  return {
    ...journal,
    refusals,
    setback: conclusion.outcome === "failed" ? setbackOf(journal, candidate.digest, now, jitter) : null,
    minimumRelease: committed ? raisedMinimum(journal, candidate) : journal.minimumRelease,
    ownRequests: committed ? { digest: candidate.digest, count: ended.ownRequests } : journal.ownRequests,
    lastOutcome: report,
    transaction: ended.trouble
      ? { stage: "blocked", trouble: ended.trouble, checks: 0, notBefore: now + RECHECK.minMs, reload: false }
      : { stage: "resting" },
  };
}

/** How often a blocked device looks whether the service recovered by itself. */
export const RECHECK = { minMs: 15_000, maxMs: 10 * 60_000 };

function refusalOf(journal: Journal, { attempt, conclusion }: In<"concluding">): Refusal {
  const { digest, retry, deploymentId } = attempt.candidate;
  const before = findRefusal(journal.refusals, attempt.candidate);
  const recipe = recipeOf(attempt.candidate);
  // Answering "quarantined" to another deployment keeps the first cause, which is the one a reader wants.
  const cause = conclusion.code === "QUARANTINED" && before ? before : conclusion;
  const isQuarantine = conclusion.outcome === "rolled-back" || (cause === before && before.kind === "quarantined");
  return {
    digest,
    ...(recipe === null ? {} : { recipe }),
    code: cause.code,
    message: cause.message,
    retry: before && cause === before ? before.retry : retry,
    deploymentId,
    kind: isQuarantine ? "quarantined" : "rejected",
  };
}

function setbackOf(journal: Journal, digest: string, now: number, jitter: number) {
  const failures = (journal.setback?.digest === digest ? journal.setback.failures : 0) + 1;
  const bounds = { ...ATTEMPT_BACKOFF, minMs: 30_000 };
  return { digest, failures, notBefore: now + nextDelayMs(failures, bounds, jitter) };
}
