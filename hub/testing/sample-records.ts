// One record of each kind, whole enough for a database: tests change what they are about.
import { planOfOneStep } from "../core/plan.ts";
import type { DeploymentRecord, DeviceRecord, OutcomeRecord, VersionRecord } from "../store/records.ts";
import type { Repositories } from "../store/store.ts";

export const AT = "2026-01-01T00:00:00.000Z";
export const version: VersionRecord = {
  model: "default",
  version_id: "v1",
  stage: "pending",
  accuracy: 0.9,
  training_samples: 10,
  training_date: AT,
  metrics: { any: [1] },
  variants: [{ digest: "a".repeat(64), size_bytes: 2 ** 40, format: "trt", platform: { sm: "8.7" } }],
  sha256: "a".repeat(64),
  size_bytes: 2 ** 40,
  model_path: "artifact://x",
  statement: null,
  signed_by: null,
  content_hash: "h",
  registered_at: AT,
  registered_by: "t",
  decided_by: null,
  decided_at: null,
  decision_reason: null,
};
export const device: DeviceRecord = {
  id: "edge-001",
  group_name: "pilot",
  home_group: null,
  credential_hash: "c",
  enrolled_at: AT,
  last_seen: null,
  revoked: false,
  assignment_sequence: Date.parse(AT),
  hold: null,
  outbox: null,
  observed_number: 0,
  outcome_number: 0,
  observed: null,
  last_outcomes: {},
};
export const deployment: DeploymentRecord = {
  id: "dep-1",
  model: "default",
  version: "v1",
  kind: "group",
  groups: ["pilot"],
  previous: { pilot: null },
  state: "running",
  state_reason: "",
  plan: planOfOneStep(["pilot"], null),
  step: 0,
  shares: { pilot: 1 },
  expected: {},
  timed_out: {},
  retry: 0,
  tolerated: 0,
  excused: {},
  reason: "",
  created_by: "t",
  created_at: AT,
  step_since: null,
  soaking_since: null,
  watched: {},
  stays: {},
  halted_by: null,
  finished_at: null,
  gate: null,
  progress: null,
};

/** As a report's transaction does: the history has it, and the device's outcomes say where. */
export async function tellOutcome({ events, outcomes }: Repositories, outcome: OutcomeRecord): Promise<void> {
  const { device_id: subject, report } = outcome;
  const event = { at: AT, kind: `device.${report.outcome}`, actor: "devices", subject, summary: report.message };
  const { id } = await events.append({ ...event, data: { outcome: report } });
  await outcomes.insert(outcome, id);
}
