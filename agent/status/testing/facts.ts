// Facts that the fixtures share: a device's figures, and attempts that ended one way or another.
import type { Evidence, Measurement, OutcomeReport, Phase, Telemetry } from "@context-edge/protocol";

/** A Tuesday. */
export const NOW = "2026-11-24T14:32:10.000Z";

export const before = (minutes: number) => new Date(Date.parse(NOW) - minutes * 60_000).toISOString();
export const after = (minutes: number) => before(-minutes);
export const OLD = "4f1c9b27ae6d80355b0e1d7c92fa64183cc0be957d2a86f1e04b39d7a5c8f612";
export const NEW = "b7d20e94c1836f5a0d4be7f298a1c36055e9fd08274bca6193f80d5e6a72c41b";
export const OLDER = "09aa5d3ef871c246b60c9d1583ea7f422bd6cf0517e84a93c0b2f6d81e7543a9";

const measured = (p95Ms: number, minutes: number): Measurement => ({
  samples: 100,
  errors: 0,
  mean_ms: p95Ms * 0.8,
  p50_ms: p95Ms * 0.78,
  p95_ms: p95Ms,
  max_ms: p95Ms * 1.3,
  at: before(minutes),
  tags: { power_mode: "MAXN" },
});

export const telemetry: Telemetry = {
  at: before(0.3),
  cpu_percent: 23,
  gpu_percent: 61,
  temperatures_c: { "cpu-thermal": 54.2, "gpu-thermal": 53.1, "tj-thermal": 55.6, "soc0-thermal": 51.9 },
  power_mw: { VDD_IN: 12_479, VDD_CPU_GPU_CV: 4_667, VDD_SOC: 2_310 },
  power_mode: "MAXN",
  overcurrent_events: 0,
  memory_total_bytes: 7.99e9,
  memory_available_bytes: 2.61e9,
  disk_total_bytes: 58.9e9,
  disk_free_bytes: 31.4e9,
  network: [
    { name: "eth0", address: "192.168.20.41", up: true },
    { name: "wlan0", address: "", up: false },
  ],
  uptime_s: 1_123_456,
};

export const report = (more: Partial<OutcomeReport>): OutcomeReport => ({
  model: "default",
  version: "v2.1",
  digest: OLD,
  deployment_id: "dep-0188",
  outcome: "committed",
  code: "OK",
  message: "v2.1 runs and stayed healthy for 60 s, p95 24.8 ms (v2.0: 26.1 ms)",
  next_step: "",
  at: before(1_470),
  evidence: { baseline: measured(26.1, 1_473), candidate: measured(24.8, 1_472), limit_p95_ms: 34.6 },
  ...more,
});
export const slowEvidence: Evidence = {
  baseline: measured(24.8, 9),
  candidate: measured(84.2, 8),
  restored: measured(24.6, 6),
  limit_p95_ms: 33,
};
export const tooSlow = report({
  version: "v2.2",
  digest: NEW,
  deployment_id: "dep-0193",
  outcome: "rolled-back",
  code: "LATENCY_OVER_BASELINE",
  message: "p95 was 84.2 ms, allowed 33.0 ms (baseline 24.8 ms × 1.25 + 2 ms)",
  next_step: "Use a faster build of this version, or raise the limit in the deployment's policy if this is acceptable.",
  at: before(6),
  evidence: slowEvidence,
});
export const wrongAnswers = report({
  ...tooSlow,
  code: "GOLDEN_MISMATCH",
  message: "3 of 16 golden samples were answered wrongly; for example scores[2] was 0.114, expected 0.9321",
  next_step: "Do not use this version; check how it was exported and converted.",
  evidence: {
    baseline: measured(24.8, 9),
    golden: { checked: 16, failed: 3, worst: { output: "scores", index: 2, expected: 0.9321, actual: 0.114 } },
  },
});
export const diskFull = report({
  ...tooSlow,
  outcome: "failed",
  code: "DISK_FULL",
  message: "v2.2 was not installed: 412.0 MB are needed on the models' disk, 96.3 MB are free",
  next_step: "Free space on the disk of the models directory.",
  evidence: { detail: "ENOSPC: no space left on device, write" },
});

export const past = (done: OutcomeReport, phases: readonly Phase[], minutes: number) => ({
  id: `${done.deployment_id}-${done.version}`,
  started_at: before(minutes),
  steps: phases.map((phase, index) => ({ phase, at: before(minutes - index) })),
  report: done,
});
export const WHOLE_WAY: readonly Phase[] = ["downloading", "verifying", "activating", "probing", "soaking"];
export const UNDONE: readonly Phase[] = ["downloading", "verifying", "activating", "probing", "rolling-back"];
export const older = [
  past(report({}), WHOLE_WAY, 1_475),
  past(report({ version: "v2.0", digest: OLDER, deployment_id: "dep-0171", at: before(30_000) }), WHOLE_WAY, 30_006),
];

export const oldUnhealthy = {
  code: "OLD_MODEL_UNHEALTHY",
  message: "the swap was undone, but v2.1 is not healthy either: the inference service was not ready within 120 s",
  next_step:
    "Look at the inference service on the device. The agent swaps nothing until it is healthy or another version is deployed.",
};
export const outOfReach = {
  code: "HUB_UNREACHABLE",
  message: "the hub cannot be followed: connect ETIMEDOUT 10.20.0.5:8000",
  next_step: "Check the network cable or the Wi-Fi of this device, and whether the hub runs.",
};
export const held = {
  until: after(207),
  reason: "camera is being replaced",
  by: "device",
} as const;

/** The slots while v2.2 is tried. */
export const tried = {
  current: { version: "v2.2", digest: NEW },
  backup: { version: "v2.1", digest: OLD },
  current_since: before(1.5),
  stats: null,
};
