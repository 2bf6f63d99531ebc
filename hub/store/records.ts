// What the store keeps, in the shapes the rest of the hub works with: parsed, named, without a trace of SQL.
import type {
  Deployment,
  DeploymentState,
  Digest,
  Envelope,
  GateReport,
  Hold,
  Observed,
  OutcomeReport,
  Plan,
  Progress,
  Quarantine,
  Stage,
  TrainingMetrics,
  Variant,
} from "@context-edge/protocol";
import type { Stay } from "../core/deadlines.ts";
import type { HaltCause } from "../core/deployment.ts";

export interface VersionRecord {
  model: string;
  version_id: string;
  stage: Stage;
  accuracy: number;
  training_samples: number;
  training_date: string;
  metrics: TrainingMetrics;
  variants: Variant[];
  sha256: Digest;
  size_bytes: number;
  model_path: string;
  statement: Envelope | null;
  signed_by: string | null;
  content_hash: string;
  registered_at: string;
  registered_by: string;
  decided_by: string | null;
  decided_at: string | null;
  decision_reason: string | null;
}

export interface GroupRecord {
  name: string;
  created_at: string;
  manifest_sequence: number;
  manifest: Envelope | null;
  manifest_content: string | null;
}

export interface TargetRecord {
  group_name: string;
  model: string;
  version: string;
  /** What a rollback gives back; null when there was nothing. */
  previous_version: string | null;
  /** What devices that are not in the wave yet run; null: they stay as they are. */
  outside_version: string | null;
  deployment_id: string;
  since: string;
}

export interface DeviceRecord {
  id: string;
  group_name: string;
  home_group: string | null;
  credential_hash: string;
  enrolled_at: string;
  last_seen: string | null;
  revoked: boolean;
  assignment_sequence: number;
  /** Set by an engineer; goes to the device in its assignment. */
  hold: Hold | null;
  outbox: string | null;
  observed_number: number;
  outcome_number: number;
  observed: Observed | null;
  last_outcomes: Record<string, OutcomeReport>;
  /** Since when nobody heard of it, once that is too long. Absent: it is not dead. */
  dead_since?: string;
}

export interface DeploymentRecord {
  id: string;
  model: string;
  version: string;
  kind: Deployment["kind"];
  groups: string[];
  previous: Record<string, string | null>;
  state: DeploymentState;
  state_reason: string;
  plan: Plan;
  step: number;
  shares: Record<string, number>;
  /** By group: the deployment it followed when this one was made, or last confirmed; null for none. */
  expected: Record<string, string | null>;
  timed_out: Deployment["timed_out"];
  retry: number;
  /** Bad ends that a person accepted by resuming. */
  tolerated: number;
  /** By device: the time of the outcome that a retry made void. */
  excused: Record<string, string>;
  reason: string;
  created_by: string;
  created_at: string;
  step_since: string | null;
  soaking_since: string | null;
  /** By device: since when it is seen to run the version. */
  watched: Record<string, string>;
  /** By device: how long it has stayed in its phase, as last written down. */
  stays: Record<string, Stay>;
  /** Why the hub halted it; null when it did not, or when a person paused it. */
  halted_by: HaltCause | null;
  finished_at: string | null;
  gate: GateReport | null;
  progress: Progress | null;
}

export interface LabelRecord {
  model: string;
  version: string;
  prediction_id: string;
  device_id: string;
  predicted: string;
  actual: string;
  at: string;
}

export interface NewEvent {
  at: string;
  kind: string;
  actor: string;
  subject: string;
  summary: string;
  data: Record<string, unknown>;
}

export interface OutcomeRecord {
  device_id: string;
  outbox: string;
  number: number;
  report: OutcomeReport;
}

export interface QuarantineRecord extends Omit<Quarantine, "devices"> {
  /** By device, when the bad outcome was that has been counted: lifting a quarantine makes these void. */
  counted: Record<string, string>;
  /** What each version with these bytes was before, by `model/version`. */
  stages_before: Record<string, Stage>;
}

/** The newest word of one device about one digest. */
export interface TestimonyRecord {
  digest: string;
  device_id: string;
  /** By the device's clock. */
  at: string;
  /** It rolled the file back, for its health. */
  against: boolean;
  code: string;
  message: string;
}
