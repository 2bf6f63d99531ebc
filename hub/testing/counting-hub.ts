// A test hub whose clock is turned, with one device that counts predictions and sends heartbeats by that clock.
import type { InferenceStats, Observed, Series, Telemetry } from "@context-edge/protocol";
import { openTestHub, type TestDevice, type TestHub } from "./test-hub.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const START = Date.parse("2026-03-01T00:00:00.000Z");
/** The device's clock is years off, as clocks without a battery are. */
const EPOCH = "1970-01-01T00:00:00.000Z";

export interface CountingHub {
  hub: TestHub;
  device: TestDevice;
  clock: { ms: number };
  /** Sends that many heartbeats, ten predictions each; every third has an error. */
  minutes(count: number, stepMs?: number): Promise<void>;
  model(more?: Partial<InferenceStats>): Observed["models"];
  series(query: string): Promise<Series>;
}

export async function openCountingHub(): Promise<CountingHub> {
  const clock = { ms: START };
  const hub = await openTestHub({}, () => clock.ms);
  const { digest } = await hub.register("v1");
  const device = await hub.enroll("edge-001", "line");
  let counted = { predictions: 1_000, errors: 0 };
  const model: CountingHub["model"] = (more = {}) => ({
    default: {
      current: { version: "v1", digest },
      backup: null,
      current_since: null,
      attempt: null,
      waiting: null,
      last_outcome: null,
      quarantined: [],
      stats: { since: "2020-01-01T00:00:00.000Z", digest, ...counted, avg_ms: 8, ...more },
    },
  });
  return {
    hub,
    device,
    clock,
    model,
    async minutes(count, stepMs = MINUTE) {
      for (let minute = 0; minute < count; minute += 1) {
        clock.ms += stepMs;
        counted = { predictions: counted.predictions + 10, errors: counted.errors + (minute % 3 === 2 ? 1 : 0) };
        await device.report("v1", undefined, { at: EPOCH, models: model(), telemetry });
      }
    },
    async series(query) {
      const answer = await hub.call("GET", `/api/v1/series?${query}`);
      if (answer.status !== 200) throw new Error(`the series were refused: ${JSON.stringify(answer.body)}`);
      return answer.body as unknown as Series;
    },
  };
}

export const telemetry: Telemetry = {
  at: EPOCH,
  cpu_percent: null,
  gpu_percent: 50,
  temperatures_c: { "gpu-thermal": 50 },
  power_mw: { VDD_IN: 12_000 },
  power_mode: null,
  overcurrent_events: null,
  memory_total_bytes: null,
  memory_available_bytes: null,
  disk_total_bytes: null,
  disk_free_bytes: null,
  network: [],
  uptime_s: null,
};
