// XSS in every string that a device, a training job or a person can set: each is put in, and wherever it comes out it is JSON that no browser takes for a page.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestHub, type TestDevice, type TestHub } from "./testing/test-hub.ts";

let hub: TestHub;
let device: TestDevice;
const addresses: Record<string, string> = { model: "default", version: "v1", group: "pilot" };
const marks: string[] = [];
/** Short enough for the shortest field there is. */
function mark(field: string): string {
  const text = `<svg/onload=${marks.length}>`;
  marks.push(`${text} ${field}`);
  return text;
}
const AT = "2026-01-01T00:00:00.000Z";
const digest = createHash("sha256").update("model v1").digest("hex");

const measurement = () => ({
  samples: 1,
  errors: 0,
  mean_ms: 1,
  p50_ms: 1,
  p95_ms: 1,
  max_ms: 1,
  at: AT,
  tags: { [mark("tag")]: mark("tag's value") },
});
const outcome = () => ({
  model: "default",
  version: "v1",
  digest,
  deployment_id: mark("outcome's deployment"),
  outcome: "failed" as const,
  code: mark("outcome's code"),
  message: mark("outcome's message"),
  next_step: mark("outcome's next step"),
  at: AT,
  evidence: {
    baseline: measurement(),
    candidate: measurement(),
    restored: measurement(),
    golden: { checked: 1, failed: 1, worst: { output: mark("golden output"), index: 0, expected: 1, actual: 2 } },
    actual_digest: mark("actual digest"),
    detail: mark("detail"),
  },
});

beforeAll(async () => {
  hub = await openTestHub();
  device = await hub.enroll("edge-001", "pilot");
  const post = async (url: string, payload: object, method: "POST" | "PUT" | "PATCH" = "POST") => {
    const answer = await hub.call(method, url, payload);
    if (answer.status >= 300) throw new Error(`${url}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await hub.register("v1");
  await hub.register("v2");
  await hub.register("v3");
  // What a training job sets.
  const variant = (format: string) => ({
    digest,
    size_bytes: 8,
    format,
    platform: { arch: mark("arch"), module: mark("module"), sm: mark("sm"), tensorrt: mark("TensorRT") },
  });
  await post("/mlops/models/register", {
    version_id: "v4",
    accuracy: 0.9,
    model_path: `artifact://${digest}`,
    training_samples: 1,
    training_date: "2026-01-01",
    metrics: { [mark("metric")]: mark("metric's value"), deep: [{ [mark("inner metric")]: mark("its value") }] },
    variants: [variant("onnx")],
  });
  const label = { device_id: "edge-001", prediction_id: "p1", at: AT };
  await post("/mlops/deployment/v1/outcomes", { outcomes: [{ ...label, predicted: "<svg>", actual: "<svg>" }] });
  // What people set.
  await post("/mlops/models/v2/reject", { reason: mark("rejection") });
  await post("/api/v1/quarantines", { version: "v3", reason: mark("quarantine") });
  const target = await post("/api/v1/groups/pilot/target", { version: "v1", reason: mark("deployment") }, "PUT");
  const deployment = String(target["id"]);
  await post("/api/v1/devices/edge-001", { hold: { hours: 1, reason: mark("hold") } }, "PATCH");
  const hook = await post("/api/v1/webhooks", { url: `http://127.0.0.1:9/${encodeURIComponent("<svg>")}` });
  await post(`/api/v1/webhooks/${String(hook["id"])}/test`, {});
  await hub.enroll("edge-002");
  await post("/api/v1/devices/edge-002/decommission", { reason: mark("decommissioning") });
  // What a device sets.
  const told = outcome();
  const models = {
    default: {
      current: { version: "v1", digest },
      backup: null,
      current_since: null,
      attempt: {
        deployment_id: mark("attempt's deployment"),
        version: "v1",
        digest,
        phase: "idle",
        started_at: AT,
        steps: [],
        download: null,
      },
      waiting: { for: "hold", until: null, message: mark("waiting") },
      last_outcome: told,
      quarantined: [{ digest, code: "<svg>" }],
      stats: null,
    },
  };
  const state = {
    at: AT,
    phase: "idle",
    inventory: Object.fromEntries(
      ["agent_version", "arch", "hostname", "module", "sm", "l4t", "jetpack", "tensorrt", "power_mode"].map((field) => [
        field,
        mark(field),
      ]),
    ),
    models,
    hold: null,
    telemetry: {
      at: AT,
      cpu_percent: 1,
      gpu_percent: 1,
      temperatures_c: { [mark("zone")]: 1 },
      power_mw: { [mark("rail")]: 1 },
      power_mode: mark("telemetry's power mode"),
      overcurrent_events: 0,
      memory_total_bytes: 1,
      memory_available_bytes: 1,
      disk_total_bytes: 1,
      disk_free_bytes: 1,
      network: [{ name: mark("network"), address: mark("address"), up: true }],
      uptime_s: 1,
    },
    trouble: { code: mark("trouble's code"), message: mark("trouble"), next_step: mark("trouble's next step") },
    manifest_sequence: null,
    status_url: "javascript:alert(document.domain)",
  };
  const payload = {
    device: "edge-001",
    outbox: crypto.randomUUID(),
    observed: { number: 1, state },
    outcomes: [{ number: 1, report: told }],
  };
  const { headers } = device;
  const sent = await hub.app.inject({ method: "POST", url: "/device/v1/reports", headers, payload });
  if (sent.statusCode !== 200) throw new Error(sent.body);
  Object.assign(addresses, {
    digest,
    number: "1",
    "/api/v1/devices": "edge-001",
    "/api/v1/deployments": deployment,
    "/api/v1/webhooks": String(hook["id"]),
  });
});
afterAll(() => hub.close());

/** Every GET of the API, at something that is there. */
const reads = () =>
  [...hub.app.routeKeys]
    .filter((key) => /^GET \/(api\/v1|mlops|device\/v1|healthz|readyz|metrics)/.test(key))
    .filter((key) => !/\/events$|\/oidc/.test(key))
    .map((key) => key.slice("GET ".length))
    .map((route) =>
      route.replaceAll(/:(\w+)/g, (_whole, name: string, at: number) => {
        const value = name === "id" ? addresses[route.slice(0, at - 1)] : addresses[name];
        return value ?? `no-${name}`;
      }),
    );

test("every answer to reading is JSON and says that it is nothing else; all that was put in comes out as it was", async () => {
  const seen: string[] = [];
  const versions = ["v2", "v3", "v4"].map((version) => `/api/v1/models/default/versions/${version}`);
  for (const url of [...reads(), ...versions]) {
    const headers = { ...(url.startsWith("/device/") ? device.headers : {}), accept: "text/html" };
    const answer = await hub.app.inject({ url, headers });
    expect(answer.headers["x-content-type-options"], url).toBe("nosniff");
    const type = String(answer.headers["content-type"]).split(";", 1)[0] ?? "";
    if (type.endsWith("json")) seen.push(JSON.stringify(answer.json()));
    else {
      expect(["text/plain", "application/octet-stream"], `${url}: ${type}`).toContain(type);
      expect(answer.body, url).not.toContain("<svg");
    }
  }
  const all = seen.join("\n");
  expect(marks.filter((one) => !all.includes(one.split(" ", 1)[0] ?? ""))).toEqual([]);
});

test("what is told live is events whose data is JSON, and says that it is nothing else", async () => {
  const answer = await fetch(`${await hub.listen()}/api/v1/events`, { headers: { "last-event-id": "0" } });
  expect(answer.headers.get("content-type")).toMatch(/^text\/event-stream/);
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  let text = "";
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString();
    if (text.includes("<svg")) break;
  }
  const lines = text.slice(0, text.lastIndexOf("\n\n")).split("\n");
  for (const line of lines) if (line.startsWith("data:")) JSON.parse(line.slice("data:".length));
  for (const line of lines) if (line.includes("<svg")) expect(line).toMatch(/^data:/);
});

test("a poll that is refused is JSON and says that it is nothing else", async () => {
  const answer = await hub.app.inject({ url: "/device/v1/manifest", headers: { authorization: "Bearer <svg>" } });
  expect(answer.json()).toMatchObject({ code: "UNAUTHENTICATED" });
  expect(answer.headers["x-content-type-options"]).toBe("nosniff");
});

test.each([
  ["javascript:alert(1)", null],
  ["JaVaScRiPt:alert(1)", null],
  ["data:text/html,<svg/onload=alert(1)>", null],
  ["vbscript:msgbox(1)", null],
  ["file:///etc/passwd", null],
  ["http://192.0.2.9:9090/", "http://192.0.2.9:9090/"],
  ["https://edge-001.example/", "https://edge-001.example/"],
])("the address of its own page, %s, is handed on as %s", async (status_url, expected) => {
  await device.report("v1", undefined, { status_url });
  expect((await hub.call("GET", "/api/v1/devices/edge-001")).body["status_url"]).toBe(expected);
});
