// After a restart in the middle of an attempt: go on where the journal stands, but not for ever.
import { resumeBuild } from "./build-mishaps.ts";
import { namedAs } from "./built.ts";
import { type Conclusion, type Disk, EMPTY_JOURNAL, type Journal, type Slot, type Stage, type State } from "./state.ts";
import { concluding, enter, newAttempt, REPAIR, restoring } from "./transitions.ts";

/** How often each stage may be taken up again. Ways back are always taken up: they are how things end well. */
const RESUMPTIONS: Record<Stage, number> = {
  resting: Infinity,
  fetching: 20,
  checking: 5,
  queued: Infinity,
  // Counted by itself: what is resumed is the wait before it.
  building: Infinity,
  waiting: Infinity,
  measuring: 5,
  activating: 2,
  examining: 2,
  soaking: 2,
  restoring: Infinity,
  reviewing: Infinity,
  concluding: Infinity,
  blocked: Infinity,
};

export function resume(journal: Journal, now: number): Journal {
  const { transaction } = journal;
  if (!("attempt" in transaction)) return journal;
  const attempt = { ...transaction.attempt, resumptions: transaction.attempt.resumptions + 1 };
  const resumed: Journal = { ...journal, transaction: { ...transaction, attempt } };
  const { model } = attempt.candidate;
  const state: State = { ...UNSEEN, model, journal: resumed, now };
  if (transaction.stage === "building") return resumeBuild(state, transaction);
  if (attempt.resumptions <= RESUMPTIONS[transaction.stage]) return resumed;
  if ("swap" in transaction) {
    const verdict = { ...INTERRUPTED, evidence: transaction.swap.evidence };
    return restoring(resumed, attempt, transaction.swap, verdict, now);
  }
  return concluding(state, attempt, { ...INTERRUPTED, outcome: "failed", refuse: false });
}

/**
 * The journal could not be read, nor its previous copy. Whatever `current` holds may be an unproved swap, so when there
 * is a way back it is proved again; without one it is taken as it is.
 */
export function rebuildFromDisk(disk: Disk, model: string, now: number): Journal {
  const { current, backup } = disk;
  const published = Object.fromEntries([current, backup].flatMap(publishedEntry));
  const journal: Journal = { ...EMPTY_JOURNAL, published };
  if (current.is !== "file" || backup.is !== "file" || backup.digest === current.digest) return journal;
  const candidate = { ...REPAIR, ...namedAs(current), model, deploymentId: "local-recovery" };
  const attempt = newAttempt(candidate, now);
  return enter(journal, { stage: "measuring", attempt, file: current.file }, now);
}

function publishedEntry(slot: Slot): [string, Journal["published"][string]][] {
  if (slot.is !== "file") return [];
  const { version, digest, sizeBytes, built } = slot;
  return [[slot.file, { version, digest, sizeBytes, ...(built ? { built } : {}) }]];
}

const INTERRUPTED: Conclusion = {
  outcome: "rolled-back",
  code: "INTERRUPTED",
  message: "the agent or the device was restarted again and again while this version was being proved",
  nextStep: "Find out why the device restarts (power, memory, watchdog), then retry the deployment.",
  evidence: {},
  refuse: true,
};

const UNSEEN: Pick<State, "disk" | "wish" | "permit" | "order" | "jitter"> = {
  disk: { current: { is: "empty" }, backup: { is: "empty" }, files: [] },
  wish: { is: "nothing", why: "no-manifest" },
  permit: { is: "open" },
  order: null,
  jitter: 0.5,
};
