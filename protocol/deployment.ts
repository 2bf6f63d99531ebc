// Deployments: the plan a person makes, the policy of its gate, how far it has come, and what a preview says before it begins.
import { z } from "zod";
import { DeviceId, Fraction, GroupName, ModelName, Timestamp, VersionId } from "./names.ts";
import { DeploymentState, Phase, Verdict } from "./words.ts";

export const GateCondition = z.object({
  /** Stable: `soak`, `committed`, `rollbacks`, `errors`, `latency`, `accuracy`, `false-positives`, `false-negatives`. */
  name: z.string(),
  verdict: Verdict,
  /** A sentence with figures: "41 s of 60 s monitored". */
  detail: z.string(),
  /** The figures of the sentence, for whoever checks it later. */
  evidence: z.record(z.string(), z.number().nullable()).default({}),
});
export type GateCondition = z.infer<typeof GateCondition>;

export const GateReport = z.object({
  verdict: Verdict,
  conditions: z.array(GateCondition),
  evaluated_at: Timestamp,
});
export type GateReport = z.infer<typeof GateReport>;

/** What must hold before the next step. Shares are fractions, 0 to 1. */
export const GatePolicy = z.object({
  /** How long as many devices as must run it must each have been watched. */
  soak_seconds: z.number().min(0),
  /** Of the devices that can be reached and have a fitting variant, how many must run it. */
  min_committed_share: Fraction,
  /** Failed predictions among all. */
  max_error_share: Fraction,
  /** p95 on a device may be at most the earlier version's p95 there × ratio + floor. */
  max_p95_ratio: z.number().min(1),
  p95_floor_ms: z.number().min(0),
  /** Fewer labels than this prove nothing, in either direction. */
  min_labels: z.number().int().min(1),
  /** How far labelled accuracy may be below the earlier version's. */
  max_accuracy_drop: Fraction,
  /** Null: not a condition. */
  max_false_positive_rate: Fraction.nullable(),
  max_false_negative_rate: Fraction.nullable(),
  /** When true, conditions on labels must pass; otherwise they may also stay inconclusive. */
  require_labels: z.boolean(),
});
export type GatePolicy = z.infer<typeof GatePolicy>;

/** How many devices may fail or roll back before everything halts. */
export const MaxBad = z.union([
  z.strictObject({ count: z.number().int().min(0) }),
  z.strictObject({ share: Fraction }),
]);

export const WaveSize = z.union([
  z.strictObject({ share: z.number().gt(0).max(1) }),
  z.strictObject({ count: z.number().int().min(1) }),
]);
/** A share of each group's devices, or so many of them. */
export type WaveSize = z.infer<typeof WaveSize>;

/** Devices that move together: this much of each of these groups, whoever moved before included. */
export const Step = z.object({ groups: z.array(GroupName).min(1), size: WaveSize });
export type Step = z.infer<typeof Step>;

/** Minutes a device may stay in a phase before it counts as failed. `idle` is: told, and not begun. */
export const Deadlines = z.partialRecord(Phase, z.number().positive());
export type Deadlines = z.infer<typeof Deadlines>;

export const Plan = z.object({
  steps: z.array(Step).min(1).max(1_000),
  /** Null: each step ends when its devices have settled. */
  gate: GatePolicy.nullable(),
  /** The last step, too, is judged by the gate before the deployment counts as finished. */
  watch_last: z.boolean().default(false),
  max_bad: MaxBad,
  /** Who takes the next step once the gate has passed. */
  promote: z.enum(["by-hand", "automatic"]),
  /** What happens to the devices that moved when it halts. */
  on_fail: z.enum(["halt", "roll-back"]),
  start_at: Timestamp.nullable(),
  deadlines: Deadlines,
});
export type Plan = z.infer<typeof Plan>;

/** How many of a deployment's devices stand where. Every device is in exactly one; offline ones are not waited for. */
export const Progress = z.object({
  total: z.number().int(),
  committed: z.number().int(),
  moving: z.number().int(),
  pending: z.number().int(),
  rolled_back: z.number().int(),
  failed: z.number().int(),
  incompatible: z.number().int(),
  held: z.number().int(),
  offline: z.number().int(),
  /** Their wave or group has not had its turn. */
  waiting: z.number().int().default(0),
});
export type Progress = z.infer<typeof Progress>;

export const DeploymentKind = z.enum(["pilot", "all", "group", "rollback", "waves"]);
export const Deployment = z.object({
  id: z.string(),
  model: ModelName,
  version: VersionId,
  kind: DeploymentKind,
  groups: z.array(GroupName),
  /** What each group ran before; null for a group that had no target. */
  previous: z.record(GroupName, VersionId.nullable()),
  state: DeploymentState,
  /** Why it is in this state, in a sentence. */
  state_reason: z.string(),
  plan: Plan,
  /** Index of the step that is under way. */
  step: z.number().int().min(0),
  /** By group, the share of its devices that have had their turn; a group that is missing has not begun. */
  shares: z.record(GroupName, Fraction),
  reason: z.string(),
  created_by: z.string(),
  created_at: Timestamp,
  /** When the step that is under way began; null before the first. */
  step_since: Timestamp.nullable(),
  /** Since when everyone reachable has settled. */
  soaking_since: Timestamp.nullable(),
  finished_at: Timestamp.nullable(),
  /** Devices that stayed silent in a phase past its deadline; a success they report later still counts. */
  timed_out: z.record(DeviceId, z.object({ phase: Phase, at: Timestamp })),
  progress: Progress,
  gate: GateReport.nullable(),
});
export type Deployment = z.infer<typeof Deployment>;

const DEPLOYMENT_ID = /^dep-[0-9a-z]{9}-[0-9a-f]{10}$/;

export const CreateDeploymentRequest = z.object({
  /** Of a preview: the waves are then the devices that it showed. Each id is good for one deployment. */
  id: z.string().regex(DEPLOYMENT_ID, "a deployment id comes from a preview").optional(),
  model: ModelName.optional(),
  version: VersionId,
  /** In the order in which they get their turn. */
  groups: z.array(GroupName).min(1).max(200),
  /** Of each group; all of it at once when left out. */
  waves: z.array(WaveSize).min(1).max(50).optional(),
  /** Every group moves with each wave, instead of one group after the other. */
  together: z.boolean().default(false),
  start_at: Timestamp.optional(),
  promote: z.enum(["by-hand", "automatic"]).default("by-hand"),
  on_fail: z.enum(["halt", "roll-back"]).default("halt"),
  max_bad: MaxBad.default({ count: 0 }),
  /** What differs from the hub's default. Of a plan with a single step it asks that the step be watched before it ends. */
  gate: GatePolicy.partial().default({}),
  /** Judge the last step by the gate as well. */
  watch_last: z.boolean().default(false),
  deadlines: Deadlines.default({}),
  /** Kept as a draft until somebody starts it. */
  draft: z.boolean().default(false),
  reason: z.string().max(1_000).optional(),
});
export type CreateDeploymentRequest = z.infer<typeof CreateDeploymentRequest>;

export const DeploymentActionRequest = z.object({
  reason: z.string().max(1_000).optional(),
  /** Of promote: one step, or all that are left. */
  to: z.enum(["next", "end"]).optional(),
  /** Of promote, where the gate has not passed. */
  override: z.object({ reason: z.string().min(3).max(1_000) }).optional(),
});

const Lacking = z.object({ device: DeviceId, why: z.string() });
/** What would happen, and to whom, before anything is published. */
export const DeploymentPreview = z.object({
  /** Send it with the deployment to get these very waves. */
  id: z.string(),
  /** "46 of 50 devices have a fitting variant, 4 do not: …" */
  sentence: z.string(),
  devices_total: z.number().int(),
  fitting: z.number().int(),
  groups: z.array(
    z.object({
      group: GroupName,
      /** The version it has as its target now. */
      from: VersionId.nullable(),
      devices: z.number().int(),
      fitting: z.number().int(),
      offline: z.number().int(),
      held: z.number().int(),
      /** Run the version already. */
      running: z.number().int(),
      incompatible: z.array(Lacking),
    }),
  ),
  /** Devices by step, in the order in which the steps happen. */
  steps: z.array(z.object({ groups: z.array(GroupName), devices: z.array(DeviceId) })),
  /** What would keep the deployment from being made, or an engineer ought to know. */
  warnings: z.array(z.string()),
});
export type DeploymentPreview = z.infer<typeof DeploymentPreview>;

export const Quarantine = z.object({
  digest: z.string(),
  model: ModelName,
  version: VersionId,
  reason: z.string(),
  /** The devices that rolled it back, when they were the cause. */
  devices: z.array(DeviceId),
  by: z.string(),
  at: Timestamp,
  lifted_by: z.string().nullable(),
  lifted_at: Timestamp.nullable(),
  lift_reason: z.string().nullable(),
});
/** A digest that no device may install any more, fleet-wide, until an admin lifts it. */
export type Quarantine = z.infer<typeof Quarantine>;
