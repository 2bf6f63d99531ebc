// The signed documents of the hub: one manifest per group, one assignment per device.
import { z } from "zod";
import { Envelope } from "./dsse.ts";
import { Hold } from "./report.ts";
import { DeviceId, Fraction, GroupName, ModelName, Sequence, Timestamp, VersionId } from "./names.ts";

/** How a candidate is proved on the device. Every duration in milliseconds. Sent with the target, so it overrides device defaults. */
export const ProbePolicy = z.object({
  /** Time the service may take to load the model, apart from any latency limit. */
  cold_start_ms: z.number().int().positive().default(120_000),
  warmup_requests: z.number().int().min(0).default(20),
  warmup_ms: z.number().int().min(0).default(2_000),
  /** The measurement ends at this many samples or after `window_ms`, whichever comes first. */
  samples: z.number().int().positive().default(100),
  window_ms: z.number().int().positive().default(10_000),
  /** Pause between requests, so that the probe is paced like production. */
  pace_ms: z.number().int().min(0).default(20),
  /** Fewer good samples than this is `inconclusive`. */
  min_samples: z.number().int().positive().default(20),
  request_timeout_ms: z.number().int().positive().default(5_000),
  max_error_share: Fraction.default(0.01),
  max_p95_ms: z.number().positive().nullable().default(null),
  /** p95 may be at most baseline × ratio + floor. */
  baseline_ratio: z.number().min(1).default(1.25),
  baseline_floor_ms: z.number().min(0).default(2),
  /** How often an inconclusive probe is tried before policy decides. */
  tries: z.number().int().min(1).max(10).default(3),
  /** What happens after the last inconclusive try. */
  on_inconclusive: z.enum(["roll-back", "commit"]).default("roll-back"),
  /** Time the candidate must stay healthy on the device before it is committed. */
  soak_ms: z.number().int().min(0).default(60_000),
});
export type ProbePolicy = z.infer<typeof ProbePolicy>;

/** A version as a device is told of it: the statement stays sealed by the release key. */
const Offer = z.object({ version: VersionId, statement: Envelope });
export type Offer = z.infer<typeof Offer>;

export const Target = z.object({
  model: ModelName,
  deployment_id: z.string().min(1).max(64),
  /** Which devices of the group move now: `isInWave(device, deployment_id, share)`. */
  share: Fraction,
  /** True while the deployment is paused: whoever has not begun stays where it is. */
  paused: z.boolean(),
  /** Raised by "retry": lifts the device's own quarantine of this digest once. */
  retry: z.number().int().min(0),
  target: Offer,
  /** What devices outside the wave run. Null: they keep what they have. */
  previous: Offer.nullable(),
  policy: ProbePolicy,
});
export type Target = z.infer<typeof Target>;

export const Manifest = z.object({
  schema: z.literal(1),
  group: GroupName,
  sequence: Sequence,
  issued_at: Timestamp,
  /** After this, the manifest stays in force for running but not for installing. */
  expires_at: Timestamp,
  models: z.array(Target).max(64),
});
export type Manifest = z.infer<typeof Manifest>;

export const Assignment = z.object({
  schema: z.literal(1),
  device: DeviceId,
  group: GroupName,
  sequence: Sequence,
  issued_at: Timestamp,
  /** Set by an engineer: until then this device begins and activates nothing. */
  hold: Hold.nullable().default(null),
});
export type Assignment = z.infer<typeof Assignment>;

export const MANIFEST_PAYLOAD_TYPE = "application/vnd.context-edge.manifest+json";
export const ASSIGNMENT_PAYLOAD_TYPE = "application/vnd.context-edge.assignment+json";
/** Response header of `GET manifest`: the sequence of the device's present assignment. */
export const ASSIGNMENT_HEADER = "context-edge-assignment";
