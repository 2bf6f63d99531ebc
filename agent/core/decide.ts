// State in, one step out. Everything the agent ever does is decided here, from the disk, the journal and the wish alone.
import { ProbePolicy } from "@context-edge/protocol";
import { installedRef, keyOf, variantOf } from "./built.ts";
import { decideInstallation, isTooEarly, warrantOf } from "./installation.ts";
import { mayBuild, permitEnds } from "./permit.ts";
import { deletableFiles, keptDigests } from "./retention.ts";
import {
  type Candidate,
  type Conclusion,
  type FileRef,
  type In,
  refOf,
  type Slot,
  type Stage,
  type State,
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
    return { do: "verify", candidate: attempt.candidate, warrant: warrantOf(state.disk, attempt.candidate) };
  },

  queued: (state, { attempt, source, notBefore }) => {
    const { candidate } = attempt;
    if (!isStillWished(state, candidate) || isOrdered(state)) return { do: "withdraw", candidate };
    if (!mayBuild(state.permit)) return { do: "rest", until: permitEnds(state.permit) };
    if (isTooEarly(state.now, notBefore)) return { do: "rest", until: notBefore };
    return { do: "ask-build", candidate, source };
  },

  building: (state, { attempt, source }) => {
    const { candidate } = attempt;
    if (!isStillWished(state, candidate) || isOrdered(state)) return { do: "withdraw", candidate };
    return { do: "build", candidate, source };
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
    if (current.is === "file" && current.file === file) {
      return { do: "reload", file: refOf(current), budgetMs: candidate.policy.cold_start_ms };
    }
    // Held a moment before the switch: what was fetched stays, and is taken up again when it may.
    if (!isStillWished(state, candidate) || state.permit.is !== "open") return { do: "withdraw", candidate };
    const running = current.is === "file" ? refOf(current) : null;
    return { do: "measure-baseline", running, candidate, file: installedRef(state.journal, candidate, file) };
  },

  activating: ({ journal, disk }, { attempt, swap }) => {
    const installed = installedRef(journal, attempt.candidate, swap.file);
    // Backup first: at no instant may the way back be missing.
    if (swap.previous && swap.keepsBackup !== true && !holds(disk.backup, swap.previous.file)) {
      const { file, digest } = swap.previous;
      return { do: "link-backup", file, digest };
    }
    if (!holds(disk.current, swap.file)) {
      return { do: "link-current", file: swap.file, digest: installed.digest };
    }
    return { do: "reload", file: installed, budgetMs: attempt.candidate.policy.cold_start_ms };
  },

  examining: ({ journal, disk }, { attempt, swap, tries, cooling }) => {
    const { policy } = attempt.candidate;
    if (!holds(disk.current, swap.file)) return { do: "turn-back", conclusion: SLOT_CHANGED };
    if (cooling) return { do: "cool-down", forMs: COOL_DOWN_MS * tries };
    const of = subjectOf(installedRef(journal, attempt.candidate, swap.file));
    return { do: "examine", subject: { ...of, policy, readyWithinMs: policy.cold_start_ms, golden: "run" } };
  },

  soaking: ({ journal, disk }, { attempt, swap }) => {
    const { policy } = attempt.candidate;
    if (!holds(disk.current, swap.file)) return { do: "turn-back", conclusion: SLOT_CHANGED };
    const of = subjectOf(installedRef(journal, attempt.candidate, swap.file));
    return { do: "soak", ...of, forMs: policy.soak_ms, policy };
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

  reviewing: ({ journal }, { attempt, swap }) => {
    const { policy } = attempt.candidate;
    const of = subjectOf(swap.previous ?? installedRef(journal, attempt.candidate, swap.file));
    return { do: "examine", subject: { ...of, policy, readyWithinMs: policy.cold_start_ms, golden: "skip" } };
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
  const subject = { ...subjectOf(disk.current), policy, readyWithinMs: RECHECK_READY_MS, golden: "skip" } as const;
  return { do: "examine", subject };
}

/** An order waits until nothing is under way, and is carried out once. */
function isOrdered({ order, journal }: State): boolean {
  return order !== null && order.id !== journal.handledOrder;
}

function isStillWished({ wish }: State, candidate: Candidate): boolean {
  return wish.is === "candidate" && keyOf(wish.candidate) === keyOf(candidate);
}

function holds(slot: Slot, file: string | null): boolean {
  return file === null ? slot.is === "empty" : slot.is === "file" && slot.file === file;
}

function isNamed(slot: Slot, file: string | null): boolean {
  return holds(slot, file) || (slot.is === "broken" && slot.file === file);
}

function subjectOf(ref: Pick<FileRef, "digest" | "built">) {
  return { digest: ref.digest, variant: variantOf(ref) };
}

function brokenRef({ journal }: State, file: string): FileRef {
  const known = journal.published[file];
  return { file, version: "unknown", digest: "0".repeat(64), ...known };
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
