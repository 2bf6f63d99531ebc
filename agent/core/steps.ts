// The one list of steps: what each needs and what it gives. Decisions, performers and consequences are all typed by it.
import type { Digest, Evidence, Measurement, OutcomeReport, ProbePolicy, Verdict } from "@context-edge/protocol";
import type { Built } from "./candidate.ts";
import type { AttemptRecord, Candidate, Conclusion, FileRef, Order } from "./state.ts";

/** A failure as a value: what went wrong, for whom, and whether trying again may help. */
export interface Mishap {
  code: string;
  message: string;
  nextStep: string;
  evidence?: Evidence;
  /** `permanent`: the same bytes will fail again. `passing`: the network, the disk or the service may recover. */
  kind: "permanent" | "passing";
  /** The server's own wish, in milliseconds. */
  retryAfterMs?: number;
  /** Something was gained before it failed: a long file over a bad link comes piece by piece. */
  progressed?: boolean;
  /** A build was spent on it. */
  spent?: boolean;
}

/** What an examination of the service found; a probe that cannot measure leaves `measurement` null. */
export interface Examination {
  ready: boolean;
  /** In words, when its process ends again and again. */
  crash: string | null;
  /** `unconfirmed`: the service does not say which file it serves. */
  identity: "confirmed" | "unconfirmed" | { servesDigest: string };
  golden: Evidence["golden"] | null;
  measurement: Measurement | null;
  detail: string;
}

/** What the examination is of, and what it must show. */
export interface Subject {
  /** Of the file that must be served. */
  digest: Digest;
  /** Of the variant it was made of: whose statement holds the golden samples. */
  variant: Digest;
  policy: ProbePolicy;
  /** How long the service may take to become ready with this file. */
  readyWithinMs: number;
  /** Run the golden samples of the candidate's statement. */
  golden: "run" | "skip";
}

/** `offer`: the hub's manifest. `running`: it was offered and committed here before, and only its engine is made anew. */
export type Warrant = "offer" | "running";

/** An engine as it was published. */
export interface BuiltFile {
  file: string;
  digest: Digest;
  sizeBytes: number;
  built: Built;
}

export interface StepMap {
  /** Preflight, and the sealed statement put on disk. */
  begin: { needs: { candidate: Candidate; warrant: Warrant }; gives: object };
  fetch: { needs: { candidate: Candidate; clean: boolean }; gives: object };
  /** Hash from disk, both signatures, publish under the version's name. */
  verify: { needs: { candidate: Candidate; warrant: Warrant }; gives: { file: string } };
  /** Whether an engine may be built now, or lies here from before: tool, space, and the device's leave. */
  "ask-build": {
    needs: { candidate: Candidate; source: string };
    gives: { answer: "go" } | { answer: "later"; retryMs: number } | ({ answer: "built" } & BuiltFile);
  };
  /** The engine, from trtexec to a published file whose digest is known. */
  build: { needs: { candidate: Candidate; source: string }; gives: BuiltFile };
  /** Ask the device whether it may be disturbed now. */
  "ask-leave": { needs: { candidate: Candidate }; gives: { answer: "go" } | { answer: "later"; retryMs: number } };
  /** The last look at the candidate's file before anything is touched; then the running model is timed. */
  "measure-baseline": {
    needs: { running: FileRef | null; candidate: Candidate; file: FileRef };
    gives: { measurement: Measurement | null; note: string };
  };
  /** @param digest what the file must hold; null: whatever it holds */
  "link-backup": { needs: { file: string | null; digest: Digest | null }; gives: object };
  "link-current": { needs: { file: string | null; digest: Digest | null }; gives: object };
  /** @param file null: the service is to serve nothing. */
  reload: { needs: { file: FileRef | null; budgetMs: number }; gives: object };
  examine: { needs: { subject: Subject }; gives: { examination: Examination } };
  "cool-down": { needs: { forMs: number }; gives: object };
  soak: {
    needs: { digest: Digest; variant: Digest; forMs: number; policy: ProbePolicy };
    gives: { ownRequests: number };
  };
  /** Give up what was begun before the swap: the manifest no longer asks for it. */
  withdraw: { needs: { candidate: Candidate }; gives: object };
  /** Tell the hub that this device will not try, and why. */
  decline: { needs: { candidate: Candidate; conclusion: Conclusion }; gives: object };
  /** The current file is gone or damaged: go back to the backup. */
  repair: { needs: { broken: FileRef; backup: FileRef; why: "missing" | "damaged" }; gives: object };
  /** Undo the swap for a reason that no step found: the links were changed under us. */
  "turn-back": { needs: { conclusion: Conclusion }; gives: object };
  /** Somebody at the device wants the backup back. */
  obey: { needs: { order: Order }; gives: object };
  record: { needs: { attempt: AttemptRecord; report: OutcomeReport }; gives: object };
  tidy: { needs: { remove: readonly string[]; keepDigests: readonly Digest[] }; gives: object };
}

export type StepName = keyof StepMap;
export type Step = { [K in StepName]: { do: K } & StepMap[K]["needs"] }[StepName];
export type StepOf<K extends StepName> = Extract<Step, { do: K }>;
/** Nothing to do, until an instant or until something changes. */
export interface Rest {
  do: "rest";
  until: number | null;
}

export type Result<K extends StepName> = ({ ok: true } & StepMap[K]["gives"]) | { ok: false; mishap: Mishap };

/** What was done and what came of it. */
export type Finding = { [K in StepName]: { step: StepOf<K>; result: Result<K> } }[StepName];

/** One performer per step: a step without one does not compile. */
export type Performers = { [K in StepName]: (step: StepOf<K>, signal: AbortSignal) => Promise<Result<K>> };

/** Steps that may be broken off when the manifest changes: nothing that runs has been touched yet. */
export const IS_BEFORE_SWAP: Record<StepName, boolean> = {
  begin: true,
  fetch: true,
  verify: true,
  "ask-build": true,
  build: true,
  "ask-leave": true,
  "measure-baseline": true,
  "link-backup": false,
  "link-current": false,
  reload: false,
  examine: false,
  "cool-down": false,
  soak: false,
  withdraw: false,
  decline: false,
  repair: false,
  "turn-back": false,
  obey: false,
  record: false,
  tidy: false,
};

/** The verdict on an examination, with the words for a reader. */
export interface Judgement {
  verdict: Verdict;
  code: string;
  message: string;
  nextStep: string;
  evidence: Evidence;
}
