// The agent's durable state as unions: one transaction per model, and what the device remembers between transactions.
import {
  Digest,
  Evidence,
  Measurement,
  ModelName,
  Outcome,
  OutcomeReport,
  Phase,
  ProbePolicy,
  Timestamp,
  Trouble,
  VersionId,
} from "@context-edge/protocol";
import { z } from "zod";
import type { Permit } from "./permit.ts";

/** A name inside the model's own directory, never a path. */
const FileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,300}$/);

export const FileRef = z.object({ file: FileName, version: VersionId, digest: Digest });
/** A published file of a version, as a slot points to it. */
export type FileRef = z.infer<typeof FileRef>;

export const Candidate = z.object({
  model: ModelName,
  version: VersionId,
  digest: Digest,
  sizeBytes: z.number().int().positive(),
  format: z.string(),
  /** As the release key signed it; 0 where an earlier agent did not note it. */
  release: z.number().int().default(0),
  /** The least release that may follow this one; 0: any. */
  minimumRelease: z.number().int().default(0),
  deploymentId: z.string(),
  retry: z.number().int(),
  policy: ProbePolicy,
});
/** Everything a transaction needs to know of what it installs, so that it can end without the manifest it began with. */
export type Candidate = z.infer<typeof Candidate>;

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

export const Refusal = z.object({
  digest: Digest,
  code: z.string(),
  message: z.string(),
  retry: z.number().int(),
  deploymentId: z.string(),
  /** `quarantined` came out of a rollback and outlives the deployment; `rejected` is tried again by a new one. */
  kind: z.enum(["quarantined", "rejected"]),
});
export type Refusal = z.infer<typeof Refusal>;

export const Setback = z.object({ digest: Digest, failures: z.number().int(), notBefore: z.number() });
/** A digest whose attempt failed for a passing reason, and when it may be tried again. */
export type Setback = z.infer<typeof Setback>;

export const Journal = z.object({
  schema: z.literal(1),
  transaction: Transaction,
  /** Files this agent published, by name. It never deletes any other. */
  published: z.record(FileName, z.object({ version: VersionId, digest: Digest, sizeBytes: z.number().int() })),
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
  return { file: slot.file, version: slot.version, digest: slot.digest };
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
