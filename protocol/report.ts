// What a device tells the hub: where it stands (only the newest matters) and how attempts ended (every one matters, once).
import { z } from "zod";
import { BuildProgress, BuiltEngine } from "./build.ts";
import { DeviceId, Digest, ModelName, Timestamp, VersionId } from "./names.ts";
import { Telemetry } from "./telemetry.ts";
import { Outcome, Phase } from "./words.ts";

/** One probe run. Times in milliseconds, warm-up excluded. */
export const Measurement = z.object({
  samples: z.number().int().min(0),
  errors: z.number().int().min(0),
  mean_ms: z.number().nullable(),
  p50_ms: z.number().nullable(),
  p95_ms: z.number().nullable(),
  max_ms: z.number().nullable(),
  at: Timestamp,
  /** What the figures depend on: power mode, temperature, runtime version. A changed tag forbids the ratio. */
  tags: z.record(z.string(), z.string()).default({}),
});
export type Measurement = z.infer<typeof Measurement>;

/** Why an attempt ended as it did: facts a reader can check, never prose alone. */
export const Evidence = z.object({
  baseline: Measurement.optional(),
  candidate: Measurement.optional(),
  /** The old model, probed again after a rollback. */
  restored: Measurement.optional(),
  /** p95 the candidate had to stay under. */
  limit_p95_ms: z.number().optional(),
  golden: z
    .object({
      checked: z.number().int(),
      failed: z.number().int(),
      /** The output that was furthest outside its tolerance. */
      worst: z
        .object({ output: z.string(), index: z.number().int(), expected: z.number(), actual: z.number() })
        .optional(),
    })
    .optional(),
  expected_digest: Digest.optional(),
  actual_digest: z.string().max(128).optional(),
  expected_bytes: z.number().optional(),
  actual_bytes: z.number().optional(),
  detail: z.string().max(4_000).optional(),
  /** The engine that was built here and tried. */
  engine: BuiltEngine.optional(),
});
export type Evidence = z.infer<typeof Evidence>;

export const OutcomeReport = z.object({
  model: ModelName,
  version: VersionId,
  digest: Digest,
  deployment_id: z.string().max(64),
  outcome: Outcome,
  /** Stable, upper case: `LATENCY_OVER_BASELINE`, `GOLDEN_MISMATCH`, `SIZE_MISMATCH`, … `OK` when committed. */
  code: z.string().max(64),
  /** One sentence in plain words. */
  message: z.string().max(2_000),
  /** What the reader can do; empty when nothing is needed. */
  next_step: z.string().max(2_000).default(""),
  at: Timestamp,
  evidence: Evidence.default({}),
});
export type OutcomeReport = z.infer<typeof OutcomeReport>;

export const Installed = z.object({
  version: VersionId,
  /** Of the variant, as it was signed. */
  digest: Digest,
  /** What runs instead of the variant's own file: built from it on this device. */
  engine: BuiltEngine.optional(),
});
export type Installed = z.infer<typeof Installed>;

export const Attempt = z.object({
  deployment_id: z.string().max(64),
  version: VersionId,
  digest: Digest,
  phase: Phase,
  started_at: Timestamp,
  /** Every phase entered so far, oldest first: a reader who missed a report still sees the whole way. */
  steps: z.array(z.object({ phase: Phase, at: Timestamp })).max(64),
  download: z
    .object({
      bytes: z.number(),
      total_bytes: z.number(),
      /** Over the last seconds; null until there is something to measure. */
      rate_bytes_per_s: z.number().nullable().default(null),
      left_s: z.number().nullable().default(null),
    })
    .nullable(),
  /** In the phase `verifying`, of a variant with a build recipe. */
  build: BuildProgress.nullable().optional(),
});
export type Attempt = z.infer<typeof Attempt>;

/** Counters since `since`: the moment the running file was activated. */
export const InferenceStats = z.object({
  since: Timestamp,
  digest: Digest,
  predictions: z.number().int().min(0),
  errors: z.number().int().min(0),
  avg_ms: z.number().nullable(),
});
export type InferenceStats = z.infer<typeof InferenceStats>;

export const Waiting = z.object({
  for: z.enum(["hold", "window", "veto", "retry"]),
  /** Null: until somebody says otherwise. */
  until: Timestamp.nullable(),
  /** One sentence in plain words. */
  message: z.string().max(500),
});
/** Why a device that is told to run another version has not begun, or has fetched it and does not switch yet. */
export type Waiting = z.infer<typeof Waiting>;

export const ObservedModel = z.object({
  current: Installed.nullable(),
  backup: Installed.nullable(),
  current_since: Timestamp.nullable(),
  attempt: Attempt.nullable(),
  waiting: Waiting.nullable().default(null),
  last_outcome: OutcomeReport.nullable(),
  /** Digests this device refuses, with the outcome's code. */
  quarantined: z.array(z.object({ digest: Digest, code: z.string().max(64) })).max(256),
  stats: InferenceStats.nullable(),
});
export type ObservedModel = z.infer<typeof ObservedModel>;

export const Inventory = z.object({
  agent_version: z.string().max(64),
  arch: z.string().max(32),
  hostname: z.string().max(255).optional(),
  module: z.string().max(128).optional(),
  sm: z.string().max(16).optional(),
  /** `36.4.3` */
  l4t: z.string().max(64).optional(),
  /** The JetPack that belongs to this L4T: `6.2`. */
  jetpack: z.string().max(64).optional(),
  /** Of the inference process when the operator says so, else of the host. */
  tensorrt: z.string().max(64).optional(),
  power_mode: z.string().max(64).optional(),
  memory_bytes: z.number().optional(),
  /** The program that builds engines here: `trtexec`. Absent: none can be built. */
  engine_builder: z.string().max(64).optional(),
  /** The newest schema of version statements that this agent understands; absent: 1. */
  statements: z.number().int().optional(),
});
export type Inventory = z.infer<typeof Inventory>;

export const Trouble = z.object({
  code: z.string().max(64),
  message: z.string().max(2_000),
  next_step: z.string().max(2_000).default(""),
});
export type Trouble = z.infer<typeof Trouble>;

export const Hold = z.object({ until: Timestamp, reason: z.string().max(500) });
/** Until then the device begins and activates nothing. Set by the hub, or by the person before the device. */
export type Hold = z.infer<typeof Hold>;

export const Observed = z.object({
  at: Timestamp,
  phase: Phase,
  inventory: Inventory,
  models: z.record(ModelName, ObservedModel),
  hold: Hold.nullable(),
  telemetry: Telemetry.nullable().default(null),
  trouble: Trouble.nullable(),
  /** The highest numbers this device accepted, of its group's manifests and of its assignments: it refuses anything lower. */
  manifest_sequence: z.number().int().nullable(),
  assignment_sequence: z.number().int().nullable().optional(),
  /** Where a person beside the device finds its own page. */
  status_url: z.url().max(500).nullable(),
});
export type Observed = z.infer<typeof Observed>;

/** `POST /device/v1/reports`. Numbers rise within one outbox; whatever was applied before is answered again and not applied twice. */
export const Report = z.object({
  device: DeviceId,
  /** Changes when a device had to start its outbox anew; numbering restarts with it. */
  outbox: z.uuid(),
  observed: z.object({ number: z.number().int().min(1), state: Observed }).nullable(),
  outcomes: z.array(z.object({ number: z.number().int().min(1), report: OutcomeReport })).max(500),
});
export type Report = z.infer<typeof Report>;

export const ReportReceipt = z.object({
  /** Every outcome up to this number is on the hub's disk: the device may forget them. */
  accepted_through: z.number().int().min(0),
});
export type ReportReceipt = z.infer<typeof ReportReceipt>;
