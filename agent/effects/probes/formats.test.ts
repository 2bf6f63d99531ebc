// The formats of others: Triton's metrics page, and the conditions of a run as tags.
import { describe, expect, test } from "vitest";
import { loopbackServer } from "../../testing/loopback-server.ts";
import { http } from "../http.ts";
import { oipClient } from "./oip-client.ts";
import { oipProbe } from "./oip.ts";
import { readNvInference } from "./prometheus.ts";
import { tagsOf } from "./tags.ts";

const never = new AbortController().signal;

describe("Triton's metrics page", () => {
  const PAGE = `# HELP nv_inference_request_success Number of successful inference requests
# TYPE nv_inference_request_success counter
nv_inference_request_success{model="default",version="1"} 90
nv_inference_request_success{model="default",version="2"} 10
nv_inference_request_success{model="other",version="1"} 7
nv_inference_request_failure{model="default",reason="OTHER",version="1"} 2
nv_inference_request_failure{model="default",reason="BACKEND",version="1"} 1
nv_inference_request_duration_us{model="default",version="1"} 250000
nv_gpu_utilization{gpu_uuid="GPU-1"} 0.5`;
  test("versions and reasons of one model are added up", () => {
    expect(readNvInference(PAGE, "default")).toEqual({ predictions: 100, errors: 3, avgMs: 2.5 });
    expect(readNvInference(PAGE, "other")).toEqual({ predictions: 7, errors: 0, avgMs: 0 });
    expect(readNvInference(PAGE, "missing")).toBeNull();
    expect(readNvInference("<html>", "default")).toBeNull();
  });

  test("it is asked when the service has no statistics", async () => {
    const url = await loopbackServer((request, response) => {
      if (request.url === "/metrics") response.end(PAGE);
      else response.writeHead(404).end();
    });
    const probe = oipProbe(oipClient(http({}), url, "default", `${url}/metrics`));
    expect(await probe.counters(never)).toMatchObject({ predictions: 100, errors: 3 });
    expect(await oipProbe(oipClient(http({}), url, "default", undefined)).counters(never)).toBeNull();
  });
});

test("conditions become tags, and a machine that says nothing has none", () => {
  const silent = {
    gpuPercent: null,
    gpuClockHz: null,
    gpuMaxClockHz: null,
    zones: [],
    powerMw: {},
    overcurrentEvents: null,
    powerMode: null,
  };
  expect(tagsOf(silent, silent)).toEqual({});
  const before = { ...silent, overcurrentEvents: 4, powerMode: "0002" };
  const zones = [
    { type: "cpu-thermal", celsius: 99, tripCelsius: 104 },
    { type: "tj-thermal", celsius: 81.26, tripCelsius: 95 },
    { type: "gpu-thermal", celsius: 80, tripCelsius: 95 },
  ];
  const after = { ...before, overcurrentEvents: 6, gpuClockHz: 306e6, gpuMaxClockHz: 918e6, zones, powerMode: "0000" };
  expect(tagsOf(before, after)).toEqual({
    power_mode: "0002→0000",
    gpu_clock_share: "0.33",
    junction_c: "81.3",
    junction_trip_c: "95.0",
    overcurrent_events: "2",
  });
});
