// What the hub answers, as far as this command line looks at it. Loose, and words as plain strings: an older command line
// must survive a newer hub, and `--json` passes on whatever else there is.
import { BuildProgress } from "@context-edge/protocol";
import { z } from "zod";

export const Deployment = z.looseObject({
  id: z.string(),
  model: z.string(),
  version: z.string(),
  kind: z.string(),
  groups: z.array(z.string()),
  previous: z.record(z.string(), z.string().nullable()).default({}),
  state: z.string(),
  state_reason: z.string(),
  reason: z.string().default(""),
  created_by: z.string(),
  created_at: z.string(),
  finished_at: z.string().nullish(),
  progress: z.looseObject({
    total: z.number(),
    committed: z.number(),
    moving: z.number().default(0),
    pending: z.number().default(0),
    rolled_back: z.number().default(0),
    failed: z.number().default(0),
    incompatible: z.number().default(0),
    held: z.number().default(0),
    offline: z.number().default(0),
    waiting: z.number().default(0),
  }),
  gate: z
    .looseObject({
      verdict: z.string(),
      conditions: z.array(z.looseObject({ name: z.string(), verdict: z.string(), detail: z.string() })),
    })
    .nullish(),
  /** Newer hubs: the wave that is under way, and all of them. */
  step: z.number().optional(),
  plan: z.looseObject({ steps: z.array(z.unknown()), start_at: z.string().nullish() }).optional(),
});
export type Deployment = z.infer<typeof Deployment>;

export const Preview = z.looseObject({
  sentence: z.string(),
  devices_total: z.number(),
  fitting: z.number(),
  groups: z.array(
    z.looseObject({
      group: z.string(),
      devices: z.number(),
      fitting: z.number(),
      offline: z.number().default(0),
      held: z.number().default(0),
      incompatible: z.array(z.looseObject({ device: z.string(), why: z.string() })).default([]),
    }),
  ),
  steps: z.array(z.looseObject({ groups: z.array(z.string()), devices: z.array(z.string()) })).default([]),
  warnings: z.array(z.string()).default([]),
});
export type Preview = z.infer<typeof Preview>;

const Variant = z.looseObject({
  digest: z.string(),
  size_bytes: z.number(),
  format: z.string().default("trt"),
  platform: z.record(z.string(), z.unknown()).default({}),
  /** A newer hub's recipe may say more than this command line knows. */
  build: z.unknown().optional(),
});
export const Version = z.looseObject({
  model: z.string(),
  version_id: z.string(),
  stage: z.string(),
  accuracy: z.number(),
  accuracy_delta: z.number().nullish(),
  training_samples: z.number(),
  training_date: z.string(),
  metrics: z.record(z.string(), z.unknown()).default({}),
  variants: z.array(Variant),
  sha256: z.string(),
  size_bytes: z.number(),
  signed_by: z.string().nullable(),
  registered_at: z.string(),
  registered_by: z.string(),
  decided_by: z.string().nullish(),
  decided_at: z.string().nullish(),
  decision_reason: z.string().nullish(),
  running_on: z.number(),
});
export type Version = z.infer<typeof Version>;

export const Group = z.looseObject({
  name: z.string(),
  targets: z.record(z.string(), z.looseObject({ version: z.string(), deployment_id: z.string() })),
  devices_total: z.number(),
  devices_online: z.number(),
  sync: z.record(z.string(), z.number()),
  versions: z.record(z.string(), z.number()),
});
export type Group = z.infer<typeof Group>;

const Installed = z.looseObject({ version: z.string(), digest: z.string() });
const Outcome = z.looseObject({
  version: z.string(),
  outcome: z.string(),
  code: z.string(),
  message: z.string(),
  next_step: z.string().default(""),
  at: z.string(),
});
export const Device = z.looseObject({
  id: z.string(),
  group: z.string(),
  online: z.boolean(),
  last_seen: z.string().nullable(),
  sync: z.string(),
  phase: z.string(),
  models: z.record(
    z.string(),
    z.looseObject({
      current: Installed.nullable(),
      backup: Installed.nullish(),
      target: z.looseObject({ version: z.string() }).nullish(),
      attempt: z.looseObject({ version: z.string(), build: BuildProgress.nullish() }).nullish(),
      waiting: z.looseObject({ message: z.string() }).nullish(),
      last_outcome: Outcome.nullish(),
    }),
  ),
  inventory: z.record(z.string(), z.unknown()).nullish(),
  hold: z.looseObject({ until: z.string(), reason: z.string() }).nullish(),
  trouble: z.looseObject({ code: z.string(), message: z.string() }).nullish(),
  status_url: z.string().nullish(),
});
export type Device = z.infer<typeof Device>;

export const Event = z.looseObject({
  id: z.number(),
  at: z.string(),
  kind: z.string(),
  actor: z.string(),
  subject: z.string(),
  summary: z.string(),
});

export const Session = z.looseObject({
  auth: z.string(),
  signed_in: z.boolean(),
  user: z.string().nullable(),
  role: z.string().nullish(),
  hub_version: z.string().default("unknown"),
});
export type Session = z.infer<typeof Session>;

export const DeployReply = z.looseObject({ message: z.string(), deployment_id: z.string() });
export const ReviewReply = z.looseObject({ message: z.string(), version_id: z.string(), status: z.string() });
export const RegisterReply = z.looseObject({ message: z.string(), warnings: z.array(z.string()).default([]) });

/** API tokens and join tokens alike; each has fields that the other has not. */
export const Token = z.looseObject({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  scope: z.string().optional(),
  group: z.string().nullish(),
  uses_left: z.number().nullish(),
  created_at: z.string(),
  created_by: z.string(),
  expires_at: z.string().nullable(),
  last_used: z.string().nullish(),
  revoked_at: z.string().nullable(),
});
export type Token = z.infer<typeof Token>;
export const CreatedToken = z.looseObject({ secret: z.string() });

export const User = z.looseObject({
  id: z.string(),
  name: z.string(),
  role: z.string(),
  signs_in_with: z.string(),
  created_at: z.string(),
  disabled_at: z.string().nullable(),
});
export type User = z.infer<typeof User>;
export const UserWithLink = z.looseObject({ user: User, setup_link: z.string().nullable() });

export const Quarantine = z.looseObject({
  digest: z.string(),
  model: z.string(),
  version: z.string(),
  reason: z.string(),
  devices: z.array(z.string()).default([]),
  by: z.string(),
  at: z.string(),
  lifted_by: z.string().nullish(),
  lifted_at: z.string().nullish(),
  lift_reason: z.string().nullish(),
});
export type Quarantine = z.infer<typeof Quarantine>;
export const QuarantinedReply = z.looseObject({ items: z.array(Quarantine) });

/** A problem document; codes that this command line has never heard of are welcome. */
export const Problem = z.looseObject({
  title: z.string(),
  status: z.number(),
  code: z.string(),
  detail: z.string().optional(),
  next_step: z.string().optional(),
  context: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof Problem>;

/** Deployments in these states will never change a target again. */
export const CLOSED_STATES: readonly string[] = ["finished", "aborted", "rolled-back"];
