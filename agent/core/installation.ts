// Whether what is wished is to be installed now: it may run already, be refused, be forbidden, be held, or have failed a moment ago.
import { ATTEMPT_BACKOFF } from "./backoff.ts";
import { isMadeOf, isStale } from "./built.ts";
import { permitEnds } from "./permit.ts";
import { findRefusal, type Refusal } from "./refusal.ts";
import { belowMinimum } from "./release.ts";
import type { Candidate, Conclusion, Disk, State } from "./state.ts";
import type { Rest, Step, Warrant } from "./steps.ts";

const REST: Rest = { do: "rest", until: null };

export function decideInstallation({ journal, disk, wish, permit, now }: State): Step | Rest {
  if (wish.is === "nothing") return REST;
  const { candidate } = wish;
  if (disk.current.is === "file" && isMadeOf(disk.current, candidate)) return REST;
  const refusal = findRefusal(journal.refusals, candidate);
  if (refusal && isInForce(refusal, candidate)) {
    if (refusal.deploymentId === candidate.deploymentId) return REST;
    return { do: "decline", candidate, conclusion: declined(refusal, candidate) };
  }
  if (wish.is === "impossible") return { do: "decline", candidate, conclusion: wish.conclusion };
  const below = belowMinimum(journal, candidate);
  if (below) return { do: "decline", candidate, conclusion: below };
  if (permit.is === "held") return { do: "rest", until: permitEnds(permit) };
  const { setback } = journal;
  if (setback?.digest === candidate.digest && isTooEarly(now, setback.notBefore)) {
    return { do: "rest", until: setback.notBefore };
  }
  return { do: "begin", candidate, warrant: warrantOf(disk, candidate) };
}

export function warrantOf({ current }: Disk, candidate: Candidate): Warrant {
  return current.is === "file" && isStale(current, candidate) ? "running" : "offer";
}

/** A quarantine falls to a larger retry only; a rejection also to a new deployment, which may bring a mended file. */
function isInForce(refusal: Refusal, candidate: Candidate): boolean {
  if (candidate.retry > refusal.retry) return false;
  return refusal.kind === "quarantined" || refusal.deploymentId === candidate.deploymentId;
}

function declined(refusal: Refusal, candidate: Candidate): Conclusion {
  return {
    outcome: "rejected",
    code: "QUARANTINED",
    message: `this device refused ${candidate.version} before: ${refusal.message}`,
    nextStep: "Deploy another version, or retry this one on the device if the cause is gone.",
    evidence: {},
    refuse: true,
  };
}

/** A wait that ends further away than any wait we set was set by another clock, and is over. */
export function isTooEarly(now: number, notBefore: number): boolean {
  return now < notBefore && notBefore - now <= ATTEMPT_BACKOFF.maxMs;
}
