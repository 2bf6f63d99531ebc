// Devices of a story: each knows what it runs and how it feels, and reports that to a real hub through its own door.
import { randomUUID } from "node:crypto";
import type { Inventory, Observed, OutcomeReport, Telemetry } from "@context-edge/protocol";
import { credentialOf } from "@context-edge/hub/testing/many-devices.ts";
import type { StoryHub } from "./hub.ts";

export interface StoryDevice {
  readonly id: string;
  /** Changes what it is; told with the next report. */
  become(state: Partial<Pick<Observed, "phase" | "trouble" | "hold">>): void;
  attempt(attempt: Observed["models"][string]["attempt"]): void;
  /** Runs this from now on; the one before becomes the backup. */
  run(version: string, digest: string): void;
  /** Counts predictions since the last report and tells how it is. */
  report(some?: { minutes?: number; outcome?: OutcomeReport; slow?: number; errors?: number }): Promise<void>;
}

export interface Character {
  id: string;
  inventory: Inventory;
  /** 0 to 1: the same in every run. */
  random: () => number;
  /** Milliseconds that one inference takes. */
  pace: number;
}

export function storyDevice(
  app: Pick<StoryHub["app"], "inject">,
  now: () => number,
  character: Character,
): StoryDevice {
  const { id, inventory, random, pace } = character;
  const outbox = randomUUID();
  let number = 0;
  let model: Observed["models"][string] = {
    current: null,
    backup: null,
    current_since: null,
    attempt: null,
    waiting: null,
    last_outcome: null,
    quarantined: [],
    stats: null,
  };
  let rest: Pick<Observed, "phase" | "trouble" | "hold"> = { phase: "idle", trouble: null, hold: null };
  let heat = 48 + random() * 8;
  const at = () => new Date(now()).toISOString();

  const telemetry = (): Telemetry => {
    heat = Math.min(78, Math.max(44, heat + (random() - 0.5) * 3));
    return {
      at: at(),
      cpu_percent: 20 + random() * 25,
      gpu_percent: 45 + random() * 30,
      temperatures_c: { "cpu-thermal": heat - 2, "gpu-thermal": heat, "tj-thermal": heat + 1 },
      power_mw: { VDD_IN: 11_000 + random() * 2_500 },
      power_mode: "MAXN",
      overcurrent_events: 0,
      memory_total_bytes: 7_990_000_000,
      memory_available_bytes: 2_600_000_000 + random() * 400_000_000,
      disk_total_bytes: 62_000_000_000,
      disk_free_bytes: 31_000_000_000,
      network: [{ name: "eth0", address: "10.20.4.17", up: true }],
      uptime_s: 860_000,
    };
  };

  return {
    id,
    become: (state) => void (rest = { ...rest, ...state }),
    attempt(attempt) {
      model = { ...model, attempt };
      rest = { ...rest, phase: attempt?.phase ?? "idle" };
    },
    run(version, digest) {
      const stats = { since: at(), digest, predictions: 0, errors: 0, avg_ms: null };
      model = {
        ...model,
        backup: model.current,
        current: { version, digest },
        current_since: at(),
        attempt: null,
        stats,
      };
    },
    async report({ minutes = 0, outcome, slow = 1, errors = 0 } = {}) {
      if (model.stats && minutes > 0) {
        const made = Math.round(minutes * (55 + random() * 10));
        const { predictions, avg_ms } = model.stats;
        const ms = pace * slow * (0.95 + random() * 0.1);
        const mean = avg_ms === null ? ms : (avg_ms * predictions + ms * made) / (predictions + made);
        model = {
          ...model,
          stats: { ...model.stats, predictions: predictions + made, errors: model.stats.errors + errors, avg_ms: mean },
        };
      }
      if (outcome) model = { ...model, last_outcome: outcome };
      number += 1;
      const state: Observed = {
        at: at(),
        ...rest,
        inventory,
        models: { default: model },
        telemetry: telemetry(),
        manifest_sequence: null,
        status_url: `http://${id}.factory.example:9090/`,
      };
      const payload = {
        device: id,
        outbox,
        observed: { number, state },
        outcomes: outcome ? [{ number, report: outcome }] : [],
      };
      const headers = { authorization: `Bearer ${credentialOf(id)}` };
      const answer = await app.inject({ method: "POST", url: "/device/v1/reports", headers, payload });
      if (answer.statusCode !== 200) throw new Error(`${id} was refused: ${answer.body}`);
    },
  };
}
