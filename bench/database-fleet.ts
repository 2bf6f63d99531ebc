// Simulated devices: what they report in a day, minute by minute, with one deployment of eight transitions in it.
import type { Observed, ObservedModel, OutcomeReport, Phase, Report } from "@context-edge/protocol";

export const MINUTE_MS = 60_000;
export const DAY_MINUTES = 1_440;
/** In this minute of the day a deployment reaches the first device; each next one follows a minute later, for an hour. */
const DEPLOYMENT_AT = 600;
const STEPS: readonly Phase[] = ["downloading", "verifying", "activating", "probing", "soaking"];

const digestOf = (version: string) => Buffer.from(version).toString("hex").padEnd(64, "0");
const iso = (atMs: number) => new Date(atMs).toISOString();

export interface SimulatedDevice {
  id: string;
  /** Null: nothing to say in this minute. @param transition which of the day's eight, if any is due. */
  report(atMs: number, transition: number | undefined): Report;
}

/** Minute of the day → which transition of a device is due; two of them a minute. */
export function transitionsOf(index: number): Map<number, number[]> {
  const start = DEPLOYMENT_AT + (index % 60);
  return new Map([0, 1, 2, 3].map((step) => [start + step, [step * 2, step * 2 + 1]]));
}

/** @param random 0 to 1; figures wander as real ones do, or packing them would look too good. */
export function simulatedDevice(id: string, random: () => number): SimulatedDevice {
  const outbox = crypto.randomUUID();
  let number = 0;
  let day = 0;
  let current = "v0";
  let since = 0;
  let [predictions, errors, totalMs, heat] = [0, 0, 0, 55];
  let outcome: OutcomeReport | null = null;
  let attempt: ObservedModel["attempt"] = null;
  let waiting: ObservedModel["waiting"] = null;

  const step = (atMs: number, transition: number): boolean => {
    const version = `v${day + 1}`;
    if (transition === 0) waiting = { for: "window", until: iso(atMs + MINUTE_MS), message: "Waits for its window" };
    else if (transition <= STEPS.length) {
      waiting = null;
      const phase = STEPS[transition - 1] ?? "downloading";
      const began = attempt ?? {
        deployment_id: `dep-${day}`,
        version,
        digest: digestOf(version),
        phase,
        started_at: iso(atMs),
        steps: [],
        download: null,
      };
      attempt = { ...began, phase, steps: [...began.steps, { phase, at: iso(atMs) }] };
    } else if (transition === 6) {
      attempt = null;
      [current, since, predictions, errors, totalMs] = [version, atMs, 0, 0, 0];
      outcome = committed(version, `dep-${day}`, iso(atMs));
      return true;
    } else day += 1;
    return false;
  };

  return {
    id,
    report(atMs, transition) {
      const ended = transition !== undefined && step(atMs, transition);
      if (transition === undefined) {
        const made = 550 + Math.floor(random() * 100);
        predictions += made;
        totalMs += made * (8 + random());
        errors += random() < 0.002 ? 1 : 0;
      }
      heat = Math.min(80, Math.max(40, heat + random() - 0.5));
      number += 1;
      const state: Observed = {
        at: iso(atMs),
        phase: attempt?.phase ?? "idle",
        inventory: {
          agent_version: "0.4.0",
          arch: "arm64",
          hostname: `jetson-${id}`,
          module: "NVIDIA Jetson Orin Nano 8GB Developer Kit",
          sm: "8.7",
          l4t: "36.4.3",
          jetpack: "6.2",
          tensorrt: "10.3.0",
          power_mode: "15W",
          memory_bytes: 7_990_000_000,
        },
        models: {
          default: {
            current: { version: current, digest: digestOf(current) },
            backup: { version: `v${Math.max(0, day - 1)}`, digest: digestOf(`v${Math.max(0, day - 1)}`) },
            current_since: iso(since),
            attempt,
            waiting,
            last_outcome: outcome,
            quarantined: [],
            stats: {
              since: iso(since),
              digest: digestOf(current),
              predictions,
              errors,
              avg_ms: predictions === 0 ? null : totalMs / predictions,
            },
          },
        },
        hold: null,
        telemetry: telemetry(atMs, heat, random),
        trouble: null,
        manifest_sequence: 1_700_000_000_000 + day,
        status_url: `http://${id}.line.example:9090/`,
      };
      const outcomes = ended && outcome ? [{ number, report: outcome }] : [];
      return { device: id, outbox, observed: { number, state }, outcomes };
    },
  };
}

function telemetry(atMs: number, heat: number, random: () => number): NonNullable<Observed["telemetry"]> {
  const watts = 11_000 + Math.floor(random() * 2_000);
  return {
    at: iso(atMs),
    cpu_percent: Math.round(random() * 400) / 10,
    gpu_percent: Math.round(400 + random() * 400) / 10,
    temperatures_c: { "cpu-thermal": heat + 1, "gpu-thermal": heat, "tj-thermal": heat + 2, "soc0-thermal": heat - 1 },
    power_mw: { VDD_IN: watts, VDD_CPU_GPU_CV: watts * 0.4, VDD_SOC: watts * 0.2 },
    power_mode: "15W",
    overcurrent_events: 0,
    memory_total_bytes: 7_990_000_000,
    memory_available_bytes: 2_600_000_000 + Math.floor(random() * 2e8),
    disk_total_bytes: 250_000_000_000,
    disk_free_bytes: 180_000_000_000,
    network: [{ name: "eth0", address: "10.0.0.12", up: true }],
    uptime_s: Math.floor(atMs / 1_000) % 1e7,
  };
}

function committed(version: string, deployment: string, at: string): OutcomeReport {
  const measured = { samples: 200, errors: 0, mean_ms: 8.214, p50_ms: 8.1, p95_ms: 9.42, max_ms: 14.03, at };
  const tags = { power_mode: "15W", temperature: "55", tensorrt: "10.3.0" };
  return {
    model: "default",
    version,
    digest: digestOf(version),
    deployment_id: deployment,
    outcome: "committed",
    code: "OK",
    message: `${version} runs: p95 9.4 ms, 200 samples, no errors`,
    next_step: "",
    at,
    evidence: {
      baseline: { ...measured, tags },
      candidate: { ...measured, tags },
      limit_p95_ms: 12,
      golden: { checked: 8, failed: 0 },
    },
  };
}
