// The device's page: plain words, nothing executable from outside, and only for those who ask for the device by its own name.
import type { OutcomeReport } from "@context-edge/protocol";
import { expect, test } from "vitest";
import type { StatusDocument } from "./document.ts";
import { type StatusSource, statusServer } from "./server.ts";

const EVIL = `"><script>alert(1)</script><img src=x onerror=alert(2)>`;
const measurement = {
  samples: 100,
  errors: 0,
  mean_ms: 2,
  p50_ms: 2,
  p95_ms: 1.9,
  max_ms: 3,
  at: "2026-01-01T00:00:00Z",
  tags: {},
};
const report: OutcomeReport = {
  model: "default",
  version: "v2.2",
  digest: "b".repeat(64),
  deployment_id: "d1",
  outcome: "rolled-back",
  code: "LATENCY_OVER_BASELINE",
  message: "p95 was 84.2 ms, allowed 31.0 ms",
  next_step: "Use a faster build.",
  at: "2026-01-01T00:00:00.000Z",
  evidence: { baseline: measurement, candidate: { ...measurement, p95_ms: 84.2 }, limit_p95_ms: 31 },
};
const calm: StatusDocument = {
  device: "edge-001",
  group: "pilot",
  at: "2026-01-01T00:00:00.000Z",
  phase: "idle",
  models: {
    default: {
      current: { version: "v2.1", digest: "a".repeat(64) },
      backup: { version: "v2.0", digest: "c".repeat(64) },
      current_since: "2026-01-01T00:00:00.000Z",
      attempt: null,
      last_outcome: report,
      quarantined: [],
      stats: null,
      headline: { tone: "good", text: "Running v2.1", health: "Healthy." },
      wish: "The hub wants v2.1 here.",
      trouble: null,
    },
  },
  trouble: null,
  hub: {
    url: "https://hub.example:8000",
    state: "answering",
    last_answer_at: "2026-01-01T00:00:00.000Z",
    trouble: null,
  },
  manifest_sequence: 7,
  unreported: 0,
  inventory: { agent_version: "0.1.0", arch: "arm64" },
  history: [{ id: "1", started_at: "2026-01-01T00:00:00.000Z", steps: [], report }],
};

function server(document: StatusDocument = calm) {
  const source: StatusSource = {
    device: "edge-001",
    statusUrl: "http://line-3.factory.example:9090",
    document: () => Promise.resolve(document),
    subscribe: () => () => undefined,
  };
  return statusServer(source);
}
const get = (url: string, host = "127.0.0.1:9090", document = calm) =>
  server(document).inject({ url, headers: { host } });
const plain = (html: string) => html.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");

test("the page says first what runs and that it is well, then what was tried and what came of it", async () => {
  const text = plain((await get("/")).body);
  expect(text).toMatch(/Running v2\.1 since [^.]+\. Healthy\./);
  expect(text).toContain("v2.2 Tried and undone");
  expect(text).toContain("p95 was 84.2 ms, allowed 31.0 ms");
  expect(text).toContain("What to do: Use a faster build.");
  // Markup that was escaped by mistake would stand on the page as text.
  expect(text).not.toContain("&lt;");
});

test("a problem stands on the page with its next step", async () => {
  const trouble = {
    code: "OLD_MODEL_UNHEALTHY",
    message: "v2.0 is not healthy either",
    next_step: "Look at the service.",
  };
  const text = plain((await get("/", undefined, { ...calm, trouble })).body);
  expect(text).toMatch(/What is wrong v2\.0 is not healthy either What to do: Look at the service\./);
});

test("no string that a hub, a service or a training job can set becomes markup", async () => {
  const poisoned = JSON.parse(
    JSON.stringify(calm, (_key, value: unknown) =>
      typeof value === "string" && !/^\d{4}-|^https:|^idle$|^good$|^rolled-back$|^answering$/.test(value)
        ? EVIL
        : value,
    ),
  ) as StatusDocument;
  const { body } = await get("/", undefined, {
    ...poisoned,
    hub: { ...poisoned.hub, url: `https://hub.example/${EVIL}` },
  });
  expect(body).not.toContain("<script>alert");
  expect(body).not.toContain("<img");
});

test("page, style and script come from the device alone, under a policy that forbids all else", async () => {
  const page = await get("/");
  expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
  expect(page.headers["access-control-allow-origin"]).toBe(undefined);
  const referenced = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]);
  expect(referenced).toEqual(["/status.css", "/status.js", "https://hub.example:8000"]);
  expect((await get("/status.css")).statusCode).toBe(200);
  expect((await get("/status.js")).statusCode).toBe(200);
});

test.each([
  ["127.0.0.1:9090", 200],
  ["[::1]:9090", 200],
  ["192.168.1.20", 200],
  ["localhost:9090", 200],
  ["edge-001", 200],
  ["EDGE-001.local:9090", 200],
  ["line-3.factory.example:9090", 200],
  ["attacker.example", 421],
  ["edge-001.attacker.example", 421],
  ["127.0.0.1.attacker.example", 421],
  ["a b", 421],
])("asked for by the name %s it answers %i", async (host, status) => {
  expect((await get("/status.json", host)).statusCode).toBe(status);
});

test("the same is there for programs: status.json, metrics and healthz; and nothing can be changed", async () => {
  expect((await get("/status.json")).json()).toMatchObject({ device: "edge-001", phase: "idle" });
  const metrics = await get("/metrics", undefined, { ...calm, device: EVIL });
  expect(metrics.body).toContain('context_edge_phase{phase="idle"} 1\n');
  expect(metrics.body).toContain(
    `context_edge_model_info{model="default",version="v2.1",digest="${"a".repeat(64)}"} 1\n`,
  );
  expect((await get("/healthz")).json()).toEqual({ status: "ok" });
  expect((await server().inject({ method: "POST", url: "/", headers: { host: "localhost" } })).statusCode).toBe(404);
});
