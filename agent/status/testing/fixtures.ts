// Every state a field tech may find the device in, as documents: for tests, for the accessibility check and for looking at the page.
import type { Attempt, Phase } from "@context-edge/protocol";
import type { ModelStatus, StatusDocument } from "../document.ts";
import {
  after,
  before,
  diskFull,
  NEW,
  NOW,
  OLD,
  OLDER,
  older,
  past,
  report,
  telemetry,
  tooSlow,
  UNDONE,
  wrongAnswers,
  held,
  oldUnhealthy,
  outOfReach,
  tried,
} from "./facts.ts";

const model: ModelStatus = {
  link: "current.trt",
  current: { version: "v2.1", digest: OLD },
  backup: { version: "v2.0", digest: OLDER },
  current_since: before(1_471),
  attempt: null,
  waiting: null,
  last_outcome: report({}),
  quarantined: [],
  stats: { since: before(1_471), digest: OLD, predictions: 48_213, errors: 0, avg_ms: 21.4 },
  headline: { tone: "good", state: "Healthy", text: "Running v2.1", health: "Healthy." },
  wish: "This is what the hub wants here.",
  trouble: null,
};

export const calm: StatusDocument = {
  device: "line-3-station-07",
  group: "pilot",
  at: NOW,
  clock: { at: NOW, looks_wrong: false },
  phase: "idle",
  models: { default: model },
  trouble: null,
  hold: null,
  telemetry,
  can_act: true,
  hub: { url: "https://hub.factory.example:8000", state: "answering", last_answer_at: before(0.2), trouble: null },
  manifest_sequence: 42,
  unreported: 0,
  inventory: {
    agent_version: "0.2.0",
    arch: "arm64",
    hostname: "line-3-station-07",
    module: "NVIDIA Jetson Orin Nano Developer Kit",
    l4t: "36.4.3",
    jetpack: "6.2",
    tensorrt: "10.3.0",
  },
  history: older,
};

const withModel = (more: Partial<ModelStatus>, rest: Partial<StatusDocument> = {}): StatusDocument => ({
  ...calm,
  ...rest,
  models: { default: { ...model, ...more } },
});

const attempt = (phase: Phase, entered: readonly Phase[], more: Partial<Attempt> = {}): Attempt => ({
  deployment_id: "dep-0193",
  version: "v2.2",
  digest: NEW,
  phase,
  started_at: before(3),
  steps: entered.map((one, index) => ({ phase: one, at: before(3 - index * 0.6) })),
  download: null,
  ...more,
});
const wants = { wish: "The hub wants v2.2 here." };
const refuses = {
  wish: "The hub wants v2.2 here, which this device has refused.",
  quarantined: [{ digest: NEW, code: "LATENCY_OVER_BASELINE" }],
};
const busy = (state: string, text: string, health: string) => ({ tone: "busy", state, text, health }) as const;
const waits = (state: string) =>
  ({ tone: "waiting", state, text: "Running v2.1", health: "Healthy. Nothing is changed for now." }) as const;
/** Names are those of the screenshots. */
export const FIXTURES: Record<string, StatusDocument> = {
  starting: {
    ...calm,
    models: {},
    group: null,
    telemetry: null,
    manifest_sequence: null,
    history: [],
    hub: { ...calm.hub, state: "never", last_answer_at: null },
  },
  "no-model": withModel(
    {
      current: null,
      backup: null,
      current_since: null,
      last_outcome: null,
      stats: null,
      headline: {
        tone: "quiet",
        state: "No model yet",
        text: "No model is installed yet",
        health: "It comes when the hub names one for this device.",
      },
      wish: "The hub has not said yet what should run here.",
    },
    { history: [] },
  ),
  healthy: calm,
  downloading: withModel(
    {
      ...wants,
      headline: busy("Downloading", "Running v2.1", "Fetching v2.2; what runs is not touched."),
      attempt: attempt("downloading", ["downloading"], {
        download: { bytes: 181.3e6, total_bytes: 256.9e6, rate_bytes_per_s: 2.4e6, left_s: 31 },
      }),
    },
    { phase: "downloading" },
  ),
  window: withModel(
    {
      ...wants,
      headline: waits("Waiting"),
      attempt: attempt("verifying", ["downloading", "verifying"]),
      waiting: { for: "window", until: after(447), message: "v2.2 is ready and waits for its maintenance window" },
    },
    { phase: "verifying" },
  ),
  held: withModel(
    {
      ...wants,
      headline: waits("On hold"),
      waiting: {
        for: "hold",
        until: held.until,
        message: `Somebody at the device holds this device as it is: ${held.reason}`,
      },
    },
    { hold: held },
  ),
  "held-by-the-hub": { ...calm, hold: { until: after(2_000), reason: "audit of line 3", by: "hub" } },
  probing: withModel(
    {
      ...tried,
      ...wants,
      headline: busy("Testing", "Trying v2.2", "v2.1 comes back by itself if it is wrong or too slow."),
      attempt: attempt("probing", ["downloading", "verifying", "activating", "probing"]),
    },
    { phase: "probing" },
  ),
  "going-back": withModel(
    {
      ...refuses,
      current_since: before(0.1),
      headline: busy("Going back", "Going back to v2.1", "v2.2 did not prove itself."),
      attempt: attempt("rolling-back", UNDONE),
      stats: null,
    },
    { phase: "rolling-back" },
  ),
  "rolled-back": withModel(
    { ...refuses, last_outcome: tooSlow, current_since: before(6) },
    { history: [past(tooSlow, UNDONE, 12), ...older], unreported: 1 },
  ),
  "golden-mismatch": withModel(
    { ...refuses, last_outcome: wrongAnswers },
    { history: [past(wrongAnswers, UNDONE, 12), ...older] },
  ),
  blocked: withModel(
    {
      ...refuses,
      headline: {
        tone: "bad",
        state: "Needs help",
        text: "Running v2.1",
        health: "Not healthy: a person has to look.",
      },
      trouble: oldUnhealthy,
      last_outcome: tooSlow,
      stats: null,
    },
    { phase: "blocked", trouble: oldUnhealthy, history: [past(tooSlow, UNDONE, 12), ...older] },
  ),
  "hub-unreachable": {
    ...calm,
    trouble: outOfReach,
    unreported: 2,
    hub: { ...calm.hub, state: "failing", last_answer_at: before(4_600), trouble: outOfReach },
  },
  "disk-full": withModel(
    {
      ...wants,
      headline: waits("Trying again soon"),
      last_outcome: diskFull,
      waiting: { for: "retry", until: after(4), message: "v2.2 failed and is tried again" },
    },
    {
      history: [past(diskFull, ["downloading"], 7), ...older],
      telemetry: { ...telemetry, disk_free_bytes: 96.3e6 },
    },
  ),
  "clock-at-1970": {
    ...withModel({ current_since: "1970-01-01T00:00:21.000Z", stats: null }),
    at: "2026-11-20T06:00:00.000Z",
    clock: { at: "1970-01-01T00:07:42.000Z", looks_wrong: true },
    telemetry: {
      ...telemetry,
      at: "2026-11-20T06:00:00.000Z",
      uptime_s: 462,
      temperatures_c: {},
      power_mw: {},
      power_mode: null,
      gpu_percent: null,
    },
    trouble: { code: "CLOCK", message: "the clock of this device is behind", next_step: "Set it." },
  },
  "several-models": {
    ...calm,
    phase: "probing",
    models: {
      default: model,
      reader: {
        ...model,
        ...tried,
        ...wants,
        link: "current.onnx",
        headline: busy("Testing", "Trying v2.2", "v2.1 comes back by itself if it is wrong or too slow."),
        attempt: attempt("probing", ["downloading", "verifying", "activating", "probing"]),
      },
      segmentation: {
        ...model,
        link: "current.engine",
        current: { version: "v0.9.4", digest: OLDER },
        backup: null,
        headline: { tone: "good", state: "Healthy", text: "Running v0.9.4", health: "Healthy." },
        stats: null,
      },
    },
  },
};
