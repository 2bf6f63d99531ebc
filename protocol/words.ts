// The product's vocabulary as closed unions: one word for one thing, in code, API, database, UI and docs.
import { z } from "zod";

export const Stage = z.enum(["pending", "approved", "rejected", "archived", "quarantined"]);
/** Where a version stands in its life: `pending → approved | rejected → archived`; `quarantined` from any stage. */
export type Stage = z.infer<typeof Stage>;

export const Phase = z.enum([
  "idle",
  "downloading",
  "verifying",
  "activating",
  "probing",
  "soaking",
  "rolling-back",
  "blocked",
]);
/** What an agent is doing now. Never mixed with {@link Outcome}. */
export type Phase = z.infer<typeof Phase>;

export const Outcome = z.enum(["committed", "rolled-back", "rejected", "failed"]);
/** How an attempt ended. `rejected` and `failed` never touched the running model. */
export type Outcome = z.infer<typeof Outcome>;

export const Verdict = z.enum(["pass", "fail", "inconclusive"]);
/** What a probe or a gate concluded. */
export type Verdict = z.infer<typeof Verdict>;

export const SyncState = z.enum(["unknown", "pending", "in-sync", "failed", "incompatible", "held"]);
/** A device against its target. Being offline is separate from all of these. */
export type SyncState = z.infer<typeof SyncState>;

export const DeploymentState = z.enum([
  "draft",
  "scheduled",
  "running",
  "soaking",
  "awaiting-approval",
  "paused",
  "finished",
  "aborted",
  "rolling-back",
  "rolled-back",
]);
export type DeploymentState = z.infer<typeof DeploymentState>;

/** Deployments in these states will never change a target again. */
export const CLOSED_DEPLOYMENT_STATES: readonly DeploymentState[] = ["finished", "aborted", "rolled-back"];
