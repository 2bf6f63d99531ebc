// The dashboard's and automation's side of the wire: resources of `/api/v1`.
import { z } from "zod";
import { DeviceId, Digest, Fraction, GroupName, ModelName, Timestamp, VersionId } from "./names.ts";
import { TrainingMetrics } from "./mlops.ts";
import { TokenScope } from "./people.ts";
import { Attempt, Hold, InferenceStats, Installed, Inventory, OutcomeReport, Trouble, Waiting } from "./report.ts";
import { Variant } from "./statement.ts";
import { Telemetry } from "./telemetry.ts";
import { Phase, Stage, SyncState } from "./words.ts";

export const Version = z.object({
  model: ModelName,
  version_id: VersionId,
  stage: Stage,
  accuracy: Fraction,
  accuracy_delta: z.number().nullable(),
  training_samples: z.number(),
  training_date: z.string(),
  metrics: TrainingMetrics,
  variants: z.array(Variant),
  sha256: Digest,
  size_bytes: z.number(),
  signed_by: z.string().nullable(),
  registered_at: Timestamp,
  registered_by: z.string(),
  decided_by: z.string().nullable(),
  decided_at: Timestamp.nullable(),
  decision_reason: z.string().nullable(),
  /** Devices whose current file is one of the variants; of several with the same bytes, its target, else the one it names. */
  running_on: z.number().int(),
});
export type Version = z.infer<typeof Version>;

export const GroupTarget = z.object({
  version: VersionId,
  deployment_id: z.string(),
  previous_version: VersionId.nullable(),
  since: Timestamp,
});
export type GroupTarget = z.infer<typeof GroupTarget>;

export const Group = z.object({
  name: GroupName,
  targets: z.record(ModelName, GroupTarget),
  manifest_sequence: z.number().int(),
  devices_total: z.number().int(),
  devices_online: z.number().int(),
  /** Devices by sync state of the default model, absent when zero. */
  sync: z.partialRecord(SyncState, z.number().int()),
  /** Devices by the version they run. `none` when nothing is installed. */
  versions: z.record(z.string(), z.number().int()),
});
export type Group = z.infer<typeof Group>;

export const DeviceModel = z.object({
  current: Installed.nullable(),
  backup: Installed.nullable(),
  current_since: Timestamp.nullable(),
  target: z.object({ version: VersionId, deployment_id: z.string() }).nullable(),
  sync: SyncState,
  attempt: Attempt.nullable(),
  waiting: Waiting.nullable().default(null),
  last_outcome: OutcomeReport.nullable(),
  stats: InferenceStats.nullable(),
});
export type DeviceModel = z.infer<typeof DeviceModel>;

export const Device = z.object({
  id: DeviceId,
  group: GroupName,
  /** Where it came from and goes back to, while it is in the pilot or pinned. */
  home_group: GroupName.nullable().default(null),
  /** It follows a version of its own, in a group of one. */
  pinned: z.boolean().default(false),
  online: z.boolean(),
  last_seen: Timestamp.nullable(),
  enrolled_at: Timestamp,
  /** Silent for so long that nobody should count on it any more. */
  dead: z.boolean().optional(),
  /** Of the default model, or the worst of several. */
  sync: SyncState,
  phase: Phase,
  inventory: Inventory.nullable(),
  models: z.record(ModelName, DeviceModel),
  hold: Hold.nullable(),
  telemetry: Telemetry.nullable().default(null),
  trouble: Trouble.nullable(),
  status_url: z.string().nullable(),
});
export type Device = z.infer<typeof Device>;

export const Event = z.object({
  id: z.number().int(),
  at: Timestamp,
  /** `version.registered`, `deployment.created`, `device.outcome`, … */
  kind: z.string(),
  actor: z.string(),
  subject: z.string(),
  /** The sentence a reader sees. */
  summary: z.string(),
  data: z.record(z.string(), z.unknown()),
});
/** One row of the append-only history that feeds audit, live updates and webhooks. */
export type Event = z.infer<typeof Event>;

export const PutTargetRequest = z.object({
  model: ModelName.optional(),
  version: VersionId,
  reason: z.string().max(1_000).optional(),
});
export const PatchDeviceRequest = z
  .object({
    group: GroupName,
    /** Null ends the hub's hold. */
    hold: z
      .object({
        hours: z
          .number()
          .positive()
          .max(24 * 90),
        reason: z.string().trim().min(3).max(500),
      })
      .nullable(),
  })
  .partial()
  .refine(({ group, hold }) => group !== undefined || hold !== undefined, "name a group, a hold, or both");
/** A pinned device is assigned to a group of one; its name tells whose it is. */
export const PINNED_PREFIX = "pinned.";
export const pinnedGroupOf = (device: string) => `${PINNED_PREFIX}${device}`;
export const PinDeviceRequest = z.object({
  model: ModelName.optional(),
  version: VersionId,
  reason: z.string().trim().min(3).max(500),
});
export const CreateGroupRequest = z.object({
  name: GroupName.refine(
    (name) => !name.startsWith(PINNED_PREFIX),
    `names that begin with "${PINNED_PREFIX}" are for pinned devices`,
  ),
});

export const Session = z.object({
  auth: z.enum(["none", "token", "accounts"]),
  signed_in: z.boolean(),
  user: z.string().nullable(),
  /** A person's role, or the scope of the token that asks. */
  role: TokenScope.nullable(),
  /** Whether the sign-in page offers the organisation's own sign-in. */
  oidc: z.boolean().default(false),
  /** No account exists yet: whoever started the hub has a set-up link. */
  setup_needed: z.boolean().default(false),
  hub_version: z.string(),
  /** Soak time of the default gate, so that pages can say what is being waited for. */
  gate_soak_seconds: z.number(),
});
export type Session = z.infer<typeof Session>;

/** `?limit=&cursor=` in, `{items, next_cursor}` out. */
export const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  /** Holds two names of up to 128 characters. */
  cursor: z.string().max(1_024).optional(),
});
/** For lists of what has a name. */
export const NamedListQuery = ListQuery.extend({
  /** A part of the name, in any case. */
  q: z.string().max(128).optional(),
});
export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });
