// State in, one step out. Everything the agent ever does is decided here, from the disk, the journal and the wish alone.
import { ProbePolicy } from "@context-edge/protocol";
import { ATTEMPT_BACKOFF } from "./backoff.ts";
import { permitEnds } from "./permit.ts";
import { belowMinimum } from "./release.ts";
import { deletableFiles, keptDigests } from "./retention.ts";
import {
  type Candidate,
  type Conclusion,
  type FileRef,
  type In,
  type Refusal,
  refOf,
  type Slot,
  type Stage,
  type State,
  type Swap,
} from "./state.ts";
import type { Rest, Step } from "./steps.ts";
import { reportOf } from "./conclude.ts";

type Decide<S extends Stage> = (state: State, transaction: In<S>) => Step | Rest;

const REST: Rest = { do: "rest", until: null };

export function decide(state: State): Step | Rest {
  const { transaction } = state.journal;
  const decideHere = DECISIONS[transaction.stage] as Decide<Stage>;
  return decideHere(state, transaction);
}

const DECISIONS: { [S in Stage]: Decide<S> } = {
  resting: (state) => decideAtRest(state),

  fetching: (state, { attempt, clean, notBefore }) => {
    if (!isStillWished(state, attempt.candidate) || isOrdered(state))
      return { do: "withdraw", candidate: attempt.candidate };
    if (isTooEarly(state.now, notBefore)) return { do: "rest", until: notBefore };
    return { do: "fetch", candidate: attempt.candidate, clean };
  },

  checking: (state, { attempt }) => {
    if (!isStillWished(state, attempt.candidate)) return { do: "withdraw", candidate: attempt.candidate };
    return { do: "verify", candidate: attempt.candidate };
  },

  waiting: (state, { attempt, notBefore }) => {
    const { candidate } = attempt;
    if (!isStillWished(state, candidate) || isOrdered(state)) return { do: "withdraw", candidate };
    if (state.permit.is !== "open") return { do: "rest", until: permitEnds(state.permit) };
    if (isTooEarly(state.now, notBefore)) return { do: "rest", until: notBefore };
    return { do: "ask-leave", candidate };
  },

  measuring: (state, { attempt, file }) => {
    const { candidate } = attempt;
    const { current } = state.disk;
    // The journal of a swap was lost and the disk shows the swap done: what runs is unproved, so prove it.
    if (current.is === "file" && current.digest === candidate.digest) {
      return { do: "reload", file: refOf(current), budgetMs: candidate.policy.cold_start_ms };
    }
    // Held a moment before the switch: what was fetched stays, and is taken up again when it may.
    if (!isStillWished(state, candidate) || state.permit.is !== "open") return { do: "withdraw", candidate };
    return { do: "measure-baseline", running: current.is === "file" ? refOf(current) : null, candidate, file };
  },

  activating: ({ disk }, { attempt, swap }) => {
    // Backup first: at no instant may the way back be missing.
    if (swap.previous && !holds(disk.backup, swap.previous.file)) {
      const { file, digest } = swap.previous;
      return { do: "link-backup", file, digest };
    }
    if (!holds(disk.current, swap.file)) {
      return { do: "link-current", file: swap.file, digest: attempt.candidate.digest };
    }
    return {
      do: "reload",
      file: candidateRef(attempt.candidate, swap),
      budgetMs: attempt.candidate.policy.cold_start_ms,
    };
  },

  examining: ({ disk }, { attempt, swap, tries, cooling }) => {
    const { digest, policy } = attempt.candidate;
    if (!holds(disk.current, swap.file)) return { do: "turn-back", conclusion: SLOT_CHANGED };
    if (cooling) return { do: "cool-down", forMs: COOL_DOWN_MS * tries };
    return { do: "examine", subject: { digest, policy, readyWithinMs: policy.cold_start_ms, golden: "run" } };
  },

  soaking: ({ disk }, { attempt, swap }) => {
    const { digest, policy } = attempt.candidate;
    if (!holds(disk.current, swap.file)) return { do: "turn-back", conclusion: SLOT_CHANGED };
    return { do: "soak", digest, forMs: policy.soak_ms, policy };
  },

  restoring: ({ disk }, { attempt, swap, failures, cooling }) => {
    const { file, digest } = swap.previous ?? { file: null, digest: null };
    if (cooling) return { do: "cool-down", forMs: RETURN_COOL_DOWN_MS * failures };
    if (!holds(disk.current, file)) return { do: "link-current", file, digest };
    // Damaged or not: it is not what the device goes back to, and must not keep it from getting there.
    if (!isNamed(disk.backup, swap.formerBackup)) {
      return { do: "link-backup", file: swap.formerBackup, digest: null };
    }
    return { do: "reload", file: swap.previous, budgetMs: attempt.candidate.policy.cold_start_ms };
  },

  reviewing: (_state, { attempt, swap }) => {
    const { policy, digest } = attempt.candidate;
    const subject = { digest: swap.previous?.digest ?? digest, policy, readyWithinMs: policy.cold_start_ms };
    return { do: "examine", subject: { ...subject, golden: "skip" } };
  },

  concluding: ({ now }, { attempt, conclusion }) => {
    return { do: "record", attempt, report: reportOf(attempt, conclusion, now) };
  },

  blocked: (state, transaction) => decideBlocked(state, transaction),
};

function decideAtRest(state: State): Step | Rest {
  const { journal, disk, wish } = state;
  const { current, backup } = disk;
  if (current.is === "foreign" || backup.is === "foreign") return REST;
  if (state.order && isOrdered(state)) return { do: "obey", order: state.order };
  if (current.is !== "file" && backup.is === "file") {
    const why = current.is === "broken" ? current.why : "missing";
    const broken = current.is === "broken" ? brokenRef(state, current.file) : refOf(backup);
    return { do: "repair", broken, backup: refOf(backup), why };
  }
  const remove = deletableFiles(journal, disk, wish);
  if (remove.length > 0) return { do: "tidy", remove, keepDigests: keptDigests(disk, wish) };
  return decideInstallation(state);
}

function decideInstallation({ journal, disk, wish, permit, now }: State): Step | Rest {
  if (wish.is === "nothing") return REST;
  const { candidate } = wish;
  if (disk.current.is === "file" && disk.current.digest === candidate.digest) return REST;
  const refusal = journal.refusals.find((one) => one.digest === candidate.digest);
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
  return { do: "begin", candidate };
}

/**
 * Blocked never swaps back and forth: it looks again from time to time, has the service load the current file anew after
 * a bad look, and takes a version it has not refused.
 */
function decideBlocked(state: State, { notBefore, reload }: In<"blocked">): Step | Rest {
  const { disk, wish, order } = state;
  if (order && isOrdered(state)) return { do: "obey", order };
  if (wish.is === "candidate") {
    const step = decideInstallation(state);
    if (step.do === "begin") return step;
  }
  const policy = wish.is === "nothing" ? RECHECK_POLICY : wish.candidate.policy;
  if (reload && disk.current.is === "file") {
    return { do: "reload", file: refOf(disk.current), budgetMs: policy.cold_start_ms };
  }
  if (isTooEarly(state.now, notBefore)) return { do: "rest", until: notBefore };
  if (disk.current.is !== "file") return decideInstallation(state);
  const subject = { digest: disk.current.digest, policy, readyWithinMs: RECHECK_READY_MS, golden: "skip" } as const;
  return { do: "examine", subject };
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

/** An order waits until nothing is under way, and is carried out once. */
function isOrdered({ order, journal }: State): boolean {
  return order !== null && order.id !== journal.handledOrder;
}

function isStillWished({ wish }: State, candidate: Candidate): boolean {
  return wish.is === "candidate" && wish.candidate.digest === candidate.digest;
}

/** A wait that ends further away than any wait we set was set by another clock, and is over. */
function isTooEarly(now: number, notBefore: number): boolean {
  return now < notBefore && notBefore - now <= ATTEMPT_BACKOFF.maxMs;
}

function holds(slot: Slot, file: string | null): boolean {
  return file === null ? slot.is === "empty" : slot.is === "file" && slot.file === file;
}

function isNamed(slot: Slot, file: string | null): boolean {
  return holds(slot, file) || (slot.is === "broken" && slot.file === file);
}

function candidateRef(candidate: Candidate, swap: Swap): FileRef {
  return { file: swap.file, version: candidate.version, digest: candidate.digest };
}

function brokenRef({ journal }: State, file: string): FileRef {
  const known = journal.published[file];
  return { file, version: known?.version ?? "unknown", digest: known?.digest ?? "0".repeat(64) };
}

const COOL_DOWN_MS = 5_000;
const RETURN_COOL_DOWN_MS = 1_000;
const RECHECK_READY_MS = 10_000;
const RECHECK_POLICY = ProbePolicy.parse({});

const SLOT_CHANGED: Conclusion = {
  outcome: "rolled-back",
  code: "SLOT_CHANGED",
  message: "the link of the running model was changed or its file damaged while the new version was being proved",
  nextStep: "Find out who changed the models directory, then retry the deployment.",
  evidence: {},
  refuse: true,
};
