// What a device did not tell is left out, not told as zero.
import type { Telemetry } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { factsOf } from "./machine-facts.ts";

const silent: Telemetry = {
  at: "2026-01-31T08:00:00.000Z",
  cpu_percent: null,
  gpu_percent: null,
  temperatures_c: {},
  power_mw: {},
  power_mode: null,
  overcurrent_events: null,
  memory_total_bytes: null,
  memory_available_bytes: null,
  disk_total_bytes: null,
  disk_free_bytes: null,
  network: [],
  uptime_s: null,
};

test("a machine that tells nothing has no facts", () => expect(factsOf(silent)).toEqual([]));

test("the hottest zone, the input power and what is free are told with their units", () => {
  const told = factsOf({
    ...silent,
    gpu_percent: 62.6,
    temperatures_c: { "cpu-thermal": 48.2, "tj-thermal": 56.4 },
    power_mw: { VDD_IN: 12_479, VDD_SOC: 900 },
    disk_total_bytes: 64e9,
    disk_free_bytes: 31e9,
  });
  expect(Object.fromEntries(told)).toEqual({
    GPU: "63 %",
    Temperature: "56 °C (tj-thermal)",
    Power: "12.5 W",
    "Models' disk": "31 GB of 64 GB free",
  });
});
