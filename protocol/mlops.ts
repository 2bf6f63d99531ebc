// Training and review: the snake_case base path `/mlops` that training jobs and scripts call.
import { z } from "zod";
import { Envelope } from "./dsse.ts";
import { DeviceId, Digest, Fraction, Timestamp, VersionId } from "./names.ts";
import { Variant } from "./statement.ts";
import { Stage } from "./words.ts";

/** Whatever the training job measured; shown, never interpreted, apart from the named fields. */
export const TrainingMetrics = z.looseObject({
  false_positive_rate: Fraction.nullable().optional(),
  false_negative_rate: Fraction.nullable().optional(),
});
export type TrainingMetrics = z.infer<typeof TrainingMetrics>;

export const METRICS_DEEPEST = 8;
export const METRICS_LONGEST = 65_536;

/** Without recursion: it looks at what may be nested deeper than any stack. */
function isShallow(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    const inner = level.filter((one) => one !== null && typeof one === "object");
    if (inner.length > 0 && depth === METRICS_DEEPEST) return false;
    level = inner.flatMap((one) => Object.values(one));
  }
  return true;
}

export const RegisterRequest = z.object({
  version_id: VersionId,
  accuracy: Fraction,
  /** `s3://bucket/key` in a configured bucket, or `artifact://<sha256>` of a file uploaded before. */
  model_path: z.string().min(1).max(1_024),
  training_samples: z.number().int().min(0),
  training_date: z.iso.datetime({ offset: true }).or(z.iso.date()),
  /** Same as `?model=`. */
  model: z.string().max(128).optional(),
  /** At most 8 levels deep, and 65,536 characters as JSON. */
  metrics: TrainingMetrics.refine(isShallow, {
    error: `metrics may be nested ${METRICS_DEEPEST} levels deep`,
    abort: true,
  })
    .refine((metrics) => JSON.stringify(metrics).length <= METRICS_LONGEST, {
      error: `metrics may have ${METRICS_LONGEST} characters as JSON`,
    })
    .optional(),
  /** Only when there are several; otherwise the one file of `model_path` is the portable variant. */
  variants: z.array(Variant).min(1).max(64).optional(),
  /** DSSE envelope of the version statement, signed by the release key. */
  statement: Envelope.optional(),
});
export type RegisterRequest = z.infer<typeof RegisterRequest>;

export const ModelSummary = z.object({
  model: z.string(),
  version_id: VersionId,
  accuracy: Fraction,
  /** Against the version most devices should run; null when there is none. */
  accuracy_delta: z.number().nullable(),
  training_samples: z.number(),
  training_date: z.string(),
  status: Stage,
  sha256: Digest,
  size_bytes: z.number(),
  registered_at: Timestamp,
  /** Key id of the release signature; null when the version carries none. */
  signed_by: z.string().nullable(),
});
export type ModelSummary = z.infer<typeof ModelSummary>;

export const RegisterReply = ModelSummary.extend({ message: z.string(), warnings: z.array(z.string()) });
export const PendingReply = z.object({ models: z.array(ModelSummary) });
export const UploadReply = z.object({ sha256: Digest, size_bytes: z.number(), model_path: z.string() });

export const DeployPilotRequest = z.object({
  pilot_device_ids: z.array(DeviceId).min(1).max(10_000),
  reason: z.string().max(1_000).optional(),
});
export const DeployAllRequest = z.object({
  override: z.object({ reason: z.string().min(3).max(1_000) }).optional(),
  reason: z.string().max(1_000).optional(),
});
export const RollbackRequest = z.object({
  rollback_to_version: VersionId,
  reason: z.string().max(1_000).optional(),
});
export const RejectRequest = z.object({ reason: z.string().min(1).max(1_000) });

export const DeployReply = z.object({
  message: z.string(),
  deployment_id: z.string(),
  version_id: VersionId,
  groups: z.array(z.string()),
  devices: z.number().int(),
});
export type DeployReply = z.infer<typeof DeployReply>;

export const ReviewReply = z.object({ message: z.string(), version_id: VersionId, status: Stage });

/** `GET /mlops/deployment/:version_id/metrics`: the pilot panel. Rates are fractions, null until there are labels. */
export const PilotMetrics = z.object({
  version_id: VersionId,
  deployment_id: z.string().nullable(),
  pilot_devices_total: z.number().int(),
  pilot_devices_online: z.number().int(),
  monitoring_duration_hours: z.number(),
  predictions_total: z.number().int(),
  accuracy_validated: Fraction.nullable(),
  false_positive_rate: Fraction.nullable(),
  false_negative_rate: Fraction.nullable(),
  errors: z.number().int(),
  avg_inference_time_ms: z.number().nullable(),
  labelled_total: z.number().int(),
  can_deploy_to_all: z.boolean(),
  /** What is missing, in sentences; empty when `can_deploy_to_all`. */
  blockers: z.array(z.string()),
});
export type PilotMetrics = z.infer<typeof PilotMetrics>;

export const LabelledOutcome = z.object({
  device_id: DeviceId,
  prediction_id: z.string().min(1).max(128),
  predicted: z.string().min(1).max(64),
  actual: z.string().min(1).max(64),
  at: Timestamp,
});
/** Labelled truth about one prediction. Positive = any class but `normal`. */
export type LabelledOutcome = z.infer<typeof LabelledOutcome>;

export const OutcomesRequest = z.object({ outcomes: z.array(LabelledOutcome).min(1).max(10_000) });
export const OutcomesReply = z.object({ accepted: z.number().int(), duplicates: z.number().int() });
export const NORMAL_CLASS = "normal";
