// Small whole resources for tests and for the mock hub; each takes only what the reader of a test needs to see.
import type {
  Attempt,
  Deployment,
  Device,
  DeviceModel,
  Event,
  Group,
  OutcomeReport,
  Phase,
  Session,
  Version,
} from "@context-edge/protocol";

export const AT = "2026-01-31T08:00:00.000Z";

/** A digest that can be recognised by its version: `v2.1` → `2100…`. */
export const digestOf = (version: string) => version.replaceAll(/[^0-9]/g, "").padEnd(64, "0");

export const installed = (version: string) => ({ version, digest: digestOf(version) });

export function aSession(over: Partial<Session> = {}): Session {
  return {
    auth: "none",
    signed_in: true,
    user: "local engineer",
    role: "admin",
    hub_version: "0.1.0",
    gate_soak_seconds: 60,
    oidc: false,
    setup_needed: false,
    ...over,
  };
}

export function aVersion(id: string, over: Partial<Version> = {}): Version {
  return {
    model: "default",
    version_id: id,
    stage: "pending",
    accuracy: 0.941,
    accuracy_delta: 0.023,
    training_samples: 48_000,
    training_date: "2026-01-30",
    metrics: {},
    variants: [{ digest: digestOf(id), size_bytes: 222_000, format: "onnx", platform: {} }],
    sha256: digestOf(id),
    size_bytes: 222_000,
    signed_by: "10dcd97b383b4f2e",
    registered_at: AT,
    registered_by: "training",
    decided_by: null,
    decided_at: null,
    decision_reason: null,
    running_on: 0,
    ...over,
  };
}

export function aDeviceModel(running: string | null, over: Partial<DeviceModel> = {}): DeviceModel {
  return {
    current: running === null ? null : installed(running),
    backup: null,
    current_since: running === null ? null : AT,
    target: running === null ? null : { version: running, deployment_id: "dep-0" },
    sync: running === null ? "unknown" : "in-sync",
    attempt: null,
    waiting: null,
    last_outcome: null,
    stats: null,
    ...over,
  };
}

export function aDevice(id: string, over: Partial<Device> = {}, model: DeviceModel = aDeviceModel("v2.0")): Device {
  return {
    id,
    group: "line-1",
    home_group: null,
    pinned: false,
    online: true,
    last_seen: AT,
    enrolled_at: AT,
    sync: model.sync,
    phase: model.attempt?.phase ?? "idle",
    inventory: { agent_version: "0.1.0", arch: "arm64", hostname: id, module: "NVIDIA Jetson Orin NX" },
    models: { default: model },
    hold: null,
    telemetry: null,
    trouble: null,
    status_url: "http://127.0.0.1:9101/",
    ...over,
  };
}

export function aGroup(name: string, over: Partial<Group> = {}): Group {
  return {
    name,
    targets: { default: { version: "v2.0", deployment_id: "dep-0", previous_version: null, since: AT } },
    manifest_sequence: 1,
    devices_total: 0,
    devices_online: 0,
    sync: {},
    versions: {},
    ...over,
  };
}

export const NO_PROGRESS: Deployment["progress"] = {
  total: 0,
  committed: 0,
  moving: 0,
  pending: 0,
  rolled_back: 0,
  failed: 0,
  incompatible: 0,
  held: 0,
  offline: 0,
  waiting: 0,
};

export function aDeployment(id: string, over: Partial<Deployment> = {}): Deployment {
  return {
    id,
    model: "default",
    version: "v2.1",
    kind: "group",
    groups: ["line-1"],
    previous: { "line-1": "v2.0" },
    state: "running",
    state_reason: "Devices are being told",
    plan: {
      steps: [{ groups: ["pilot"], size: { share: 1 } }],
      gate: null,
      watch_last: false,
      max_bad: { count: 0 },
      promote: "by-hand",
      on_fail: "halt",
      start_at: null,
      deadlines: {},
    },
    step: 0,
    shares: { pilot: 1 },
    timed_out: {},
    reason: "",
    created_by: "local engineer",
    created_at: AT,
    step_since: AT,
    soaking_since: null,
    finished_at: null,
    progress: NO_PROGRESS,
    gate: null,
    ...over,
  };
}

export function anAttempt(version: string, phases: readonly Phase[], over: Partial<Attempt> = {}): Attempt {
  return {
    deployment_id: "dep-1",
    version,
    digest: digestOf(version),
    phase: phases.at(-1) ?? "idle",
    started_at: AT,
    steps: phases.map((phase) => ({ phase, at: AT })),
    download: null,
    ...over,
  };
}

export function anOutcome(over: Partial<OutcomeReport> = {}): OutcomeReport {
  return {
    model: "default",
    version: "v2.1",
    digest: digestOf("v2.1"),
    deployment_id: "dep-1",
    outcome: "committed",
    code: "OK",
    message: "v2.1 runs and stayed healthy for 5 s, p95 11.2 ms",
    next_step: "",
    at: AT,
    evidence: {},
    ...over,
  };
}

export function anEvent(id: number, over: Partial<Event> = {}): Event {
  return {
    id,
    at: AT,
    kind: "deployment.created",
    actor: "local engineer",
    subject: "dep-1",
    summary: `event ${id}`,
    data: {},
    ...over,
  };
}
