// The agent's durable state as unions: one transaction per model, and what the device remembers between transactions.
import {
  Digest,
  Evidence,
  Measurement,
  type ModelName,
  Outcome,
  OutcomeReport,
  Phase,
  Timestamp,
  Trouble,
  VersionId,
} from "@context-edge/protocol";
import { z } from "zod";
import { Candidate, FileName, FileRef, PublishedFile } from "./candidate.ts";
import type { Permit } from "./permit.ts";
import { Refusal, Setback } from "./refusal.ts";

export { Candidate, FileRef } from "./candidate.ts";

export const AttemptRecord = z.object({
  /** Names the attempt in outbox and history, so that its end is told once however often it is written. */
  id: z.string(),
  candidate: Candidate,
  startedAt: Timestamp,
  steps: z.array(z.object({ phase: Phase, at: Timestamp })),
  /** How often the process began anew in the middle of this attempt. */
  resumptions: z.number().int(),
});
export type AttemptRecord = z.infer<typeof AttemptRecord>;

export const Swap = z.object({
  /** The candidate's published file. */
  file: FileName,
  /** What `current` held before. Null on a first installation. */
  previous: FileRef.nullable(),
  /** What `backup` held before; the rollback puts it back. */
  formerBackup: FileName.nullable(),
  /** The same version again, built for what the device has become: what ran before is no way back, the backup is. */
  keepsBackup: z.boolean().optional(),
  baseline: Measurement.nullable(),
  evidence: Evidence,
});
/** What is needed to undo the change of the links, journalled before they are touched. */
export type Swap = z.infer<typeof Swap>;

export const Conclusion = z.object({
  outcome: Outcome,
  code: z.string(),
  message: z.string(),
  nextStep: z.string(),
  evidence: Evidence,
  /** Whether this device refuses the digest from now on. */
  refuse: z.boolean(),
});
/** How an attempt ended and why, before it is dressed as a report. */
export type Conclusion = z.infer<typeof Conclusion>;

/** Builds of this attempt that came to nothing: failed by themselves, or the agent or the device went down under them. */
const Spent = z.object({ failed: z.number().int(), interrupted: z.number().int() });

const attempt = AttemptRecord;
export const Transaction = z.discriminatedUnion("stage", [
  z.object({ stage: z.literal("resting") }),
  z.object({
    stage: z.literal("fetching"),
    attempt,
    failures: z.number().int(),
    /** Milliseconds since the epoch. */
    notBefore: z.number(),
    /** Throw away what was fetched before: a resumed file turned out wrong. */
    clean: z.boolean(),
    /** Why the last try failed, for whoever wonders what the device waits for. */
    trouble: Trouble.nullable().default(null),
  }),
  z.object({ stage: z.literal("checking"), attempt, clean: z.boolean() }),
  z.object({
    /** Its engine has yet to be built: for the window, the device's leave, or another try. */
    stage: z.literal("queued"),
    attempt,
    /** The published file of the variant. */
    source: FileName,
    notBefore: z.number(),
    vetoes: z.number().int(),
    /** Tries in a row that ended before or in the build, for a reason that may pass. */
    failures: z.number().int(),
    spent: Spent,
    trouble: Trouble.nullable(),
  }),
  z.object({ stage: z.literal("building"), attempt, source: FileName, failures: z.number().int(), spent: Spent }),
  z.object({
    stage: z.literal("waiting"),
    attempt,
    file: FileName,
    notBefore: z.number(),
    /** How often the device itself said "later". */
    vetoes: z.number().int(),
    /** How often a switch could not even be begun, and why the last time: the way to the service was missing. */
    failures: z.number().int().default(0),
    trouble: Trouble.nullable().default(null),
  }),
  z.object({ stage: z.literal("measuring"), attempt, file: FileName }),
  z.object({ stage: z.literal("activating"), attempt, swap: Swap }),
  z.object({ stage: z.literal("examining"), attempt, swap: Swap, tries: z.number().int(), cooling: z.boolean() }),
  z.object({ stage: z.literal("soaking"), attempt, swap: Swap }),
  z.object({
    stage: z.literal("restoring"),
    attempt,
    swap: Swap,
    verdict: Conclusion,
    /** Reloads of the old file that failed so far: while the service keeps the new one, the way back is not done. */
    failures: z.number().int(),
    cooling: z.boolean(),
  }),
  z.object({ stage: z.literal("reviewing"), attempt, swap: Swap, verdict: Conclusion }),
  z.object({
    stage: z.literal("concluding"),
    attempt,
    conclusion: Conclusion,
    /** The phase the attempt was in when it ended. */
    phase: Phase,
    /** Set when even the model that was restored is unhealthy. */
    trouble: Trouble.nullable(),
    /** Requests the agent itself sent to the service since the reload, so that they do not count as predictions. */
    ownRequests: z.number().int(),
  }),
  z.object({
    stage: z.literal("blocked"),
    trouble: Trouble,
    checks: z.number().int(),
    notBefore: z.number(),
    /** The last look was a bad one, and the service has not been made to load the current file since. */
    reload: z.boolean(),
  }),
]);
export type Transaction = z.infer<typeof Transaction>;
export type Stage = Transaction["stage"];
export type In<S extends Stage> = Extract<Transaction, { stage: S }>;

export const Journal = z.object({
  schema: z.literal(1),
  transaction: Transaction,
  /** Files this agent published, by name. It never deletes any other. */
  published: z.record(FileName, PublishedFile),
  refusals: z.array(Refusal),
  setback: Setback.nullable(),
  /** Requests of ours that the running model's counters include. */
  ownRequests: z.object({ digest: Digest, count: z.number().int() }).nullable(),
  lastOutcome: OutcomeReport.nullable(),
  /** The last order of a person at the device that was carried out. */
  handledOrder: z.string().nullable().default(null),
  /** The least release that may be installed, by the version that was committed here and said so. Only rises. */
  minimumRelease: z.object({ release: z.number().int(), version: VersionId }).nullable().default(null),
});
/** All that one model's directory remembers. The links on the disk outrank it. */
export type Journal = z.infer<typeof Journal>;

export const EMPTY_JOURNAL: Journal = {
  schema: 1,
  transaction: { stage: "resting" },
  published: {},
  refusals: [],
  setback: null,
  ownRequests: null,
  lastOutcome: null,
  handledOrder: null,
  minimumRelease: null,
};

/** What a slot link holds, as read from the disk. */
export type Slot =
  | { is: "empty" }
  | ({ is: "file"; sizeBytes: number; since: number } & FileRef)
  | { is: "broken"; file: string; why: "missing" | "damaged" }
  | { is: "foreign"; why: string };

export interface Disk {
  current: Slot;
  backup: Slot;
  /** Names of the model files in the directory. */
  files: readonly string[];
}

export function refOf(slot: Extract<Slot, { is: "file" }>): FileRef {
  const { file, version, digest, built } = slot;
  return { file, version, digest, ...(built ? { built } : {}) };
}

/** What the manifest asks of this device for one model, now. */
export type Wish =
  | { is: "nothing"; why: "no-manifest" | "not-named" | "paused" | "outside-wave" | "expired" }
  | { is: "candidate"; candidate: Candidate }
  | { is: "impossible"; candidate: Candidate; conclusion: Conclusion };

/** "Put the backup back", from a person at the device. The id tells an order carried out from a new one. */
export interface Order {
  id: string;
}

/** All that a decision is made from. */
export interface State {
  model: ModelName;
  journal: Journal;
  disk: Disk;
  wish: Wish;
  permit: Permit;
  order: Order | null;
  /** Drawn for this look, 0 ≤ jitter < 1: devices that fail together must not come back together. */
  jitter: number;
  /** Milliseconds since the epoch, never below the last signed time. */
  now: number;
}

/** The phase a reader sees for each stage. */
export const PHASE_OF: Record<Exclude<Stage, "concluding">, Phase> = {
  resting: "idle",
  fetching: "downloading",
  checking: "verifying",
  // The wire has no word for it, and a hub of the release before would refuse the report: `attempt.build` says it.
  queued: "verifying",
  building: "verifying",
  waiting: "verifying",
  measuring: "verifying",
  activating: "activating",
  examining: "probing",
  soaking: "soaking",
  restoring: "rolling-back",
  reviewing: "rolling-back",
  blocked: "blocked",
};

export function phaseOf(transaction: Transaction): Phase {
  return transaction.stage === "concluding" ? transaction.phase : PHASE_OF[transaction.stage];
}
