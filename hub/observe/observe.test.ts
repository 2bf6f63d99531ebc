// Watching the hub: what it counts, and whom it turns away under pressure.
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildApp } from "../app.ts";
import { openTestHub, type TestHub, until } from "../testing/test-hub.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.close());

const metric = async (name: string) => {
  const text = (await hub.app.inject("/metrics")).body;
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.split(" ").at(-1));
};

test("most polls fall between the buckets of their histogram, and not all into the first", async () => {
  const device = await hub.enroll("edge-001");
  const url = "/device/v1/manifest";
  for (let count = 0; count < 50; count += 1) await hub.app.inject({ url, headers: device.headers });
  const bounds = (await hub.app.inject("/metrics")).body.matchAll(
    /poll_duration_seconds_bucket\{le="([\d.e-]+)"\} (\d+)/g,
  );
  const counts = [...bounds].map(([, bound, count]) => ({ bound: Number(bound), count: Number(count) }));
  expect(counts[0]).toMatchObject({ bound: 0.00001 });
  expect(counts[0]?.count).toBeLessThan(50);
});

test("counts polls by result, other requests by route, problems by code, devices, deployments and queues", async () => {
  await hub.register("v1");
  const device = await hub.enroll("edge-001", "pilot");
  await hub.call("POST", "/mlops/models/v1/deploy-pilot", { pilot_device_ids: ["edge-001"] });
  const first = await hub.app.inject({ url: "/device/v1/manifest", headers: device.headers });
  const again = { ...device.headers, "if-none-match": String(first.headers.etag) };
  for (let count = 0; count < 3; count += 1) await hub.app.inject({ url: "/device/v1/manifest", headers: again });
  await device.report("v0");
  await hub.call("GET", "/api/v1/devices/ghost");
  await hub.app.inject("/nonsense/one");
  await hub.app.inject("/nonsense/two");
  expect(await metric('context_edge_polls_total{result="changed"}')).toBe(1);
  expect(await metric('context_edge_polls_total{result="unchanged"}')).toBe(3);
  expect(await metric("context_edge_poll_duration_seconds_count")).toBe(4);
  expect(await metric('context_edge_requests_total{route="/api/v1/devices/:id",method="GET",status="4xx"}')).toBe(1);
  expect(await metric('context_edge_requests_total{route="none",method="GET",status="4xx"}')).toBe(2);
  expect(await metric('context_edge_problems_total{code="DEVICE_UNKNOWN"}')).toBe(1);
  expect(await metric('context_edge_devices{sync="pending"}')).toBe(1);
  expect(await metric("context_edge_devices_online")).toBe(1);
  expect(await metric('context_edge_deployments_open{state="running"}')).toBe(1);
  // What nothing is in reads 0, also after something was.
  for (const [name, state] of [
    ["devices", 'sync="failed"'],
    ["deployments_open", 'state="paused"'],
    ["webhook_deliveries", 'state="given-up"'],
  ])
    expect(await metric(`context_edge_${name}{${state}}`)).toBe(0);
  await device.report("v1");
  expect(await metric('context_edge_devices{sync="in-sync"}')).toBe(1);
  expect(await metric('context_edge_devices{sync="pending"}')).toBe(0);
  for (const check of ["database", "signing_key", "artifacts", "shutdown"])
    expect(await metric(`context_edge_ready{check="${check}"}`)).toBe(1);
  expect(await metric("context_edge_reports_queued")).toBe(0);
  expect(await metric("context_edge_polls_held")).toBe(0);
  expect(await metric("nodejs_eventloop_lag_p99_seconds")).toEqual(expect.any(Number));
});

describe("under pressure", () => {
  const get = (app: FastifyInstance, url: string, headers: Record<string, string> = {}) => app.inject({ url, headers });

  test("people are asked to come back at different times, then devices' files, and never polls and reports", async () => {
    const device = await hub.enroll("edge-001");
    const { digest } = await hub.register("v1");
    await hub.call("PUT", "/api/v1/groups/default/target", { version: "v1" });
    let lateMs = 400;
    const app = await buildApp(hub.hub, { lateMs: () => lateMs });
    const shed = await Promise.all(Array.from({ length: 20 }, () => get(app, "/api/v1/devices")));
    expect(shed[0]?.json()).toMatchObject({ status: 503, code: "OVERLOADED" });
    expect(new Set(shed.map(({ headers }) => headers["retry-after"])).size).toBeGreaterThan(1);
    const fetchFile = () => get(app, `/device/v1/artifacts/${digest}`, device.headers);
    expect((await fetchFile()).statusCode).toBe(200);
    lateMs = 1_100;
    expect((await fetchFile()).json()).toMatchObject({ code: "OVERLOADED" });
    const report = { device: "edge-001", outbox: crypto.randomUUID(), observed: null, outcomes: [] };
    const answers = [
      await get(app, "/device/v1/manifest", device.headers),
      await get(app, "/device/v1/assignment", device.headers),
      await app.inject({ method: "POST", url: "/device/v1/reports", headers: device.headers, payload: report }),
      await get(app, "/healthz"),
      await get(app, "/readyz"),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200, 200]);
    expect(await metric("context_edge_shed_total")).toBe(21);
    lateMs = 0;
    expect((await get(app, "/api/v1/devices")).statusCode).toBe(200);
    await app.close();
  });

  test("people wait their turn for a while, the next are turned away, and neither keeps a device waiting", async () => {
    const device = await hub.enroll("edge-001");
    const stuck = Promise.withResolvers<void>();
    const fleet = () => stuck.promise.then(() => hub.hub.fleet());
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const limits = { atOnce: 1, mostWaiting: 1, patienceMs: 60_000 };
    const app = await buildApp({ ...hub.hub, fleet, log }, { limits });
    const first = get(app, "/api/v1/groups");
    const second = get(app, "/api/v1/groups");
    const waiting = async () => (await get(hub.app, "/metrics")).body.includes("context_edge_requests_waiting 1");
    await until(waiting);
    const refused = await Promise.all([get(app, "/api/v1/groups"), get(app, "/api/v1/devices")]);
    expect(refused.map(({ statusCode }) => statusCode)).toEqual([503, 503]);
    expect((await get(app, "/device/v1/manifest", device.headers)).statusCode).toBe(200);
    expect((await get(app, "/healthz")).statusCode).toBe(200);
    stuck.resolve();
    expect([(await first).statusCode, (await second).statusCode]).toEqual([200, 200]);
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { level: 40, turned_away: 1, waiting: 1, msg: "requests are turned away" },
    ]);
    await app.close();
  });

  test("of two who decide at once one wins, even if the other has to wait for its turn until that is done", async () => {
    for (const version of ["v1", "v2"]) await hub.register(version);
    await hub.call("POST", "/api/v1/groups", { name: "north" });
    const app = await buildApp(hub.hub, { limits: { atOnce: 1, mostWaiting: 9, patienceMs: 60_000 } });
    const put = (version: string) =>
      app.inject({ method: "PUT", url: "/api/v1/groups/north/target", payload: { version } });
    const answers = await Promise.all([put("v1"), put("v2")]);
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 409]);
    expect((await put("v2")).statusCode).toBe(200);
    await app.close();
  });

  test("a page that stays open holds up nobody's turn", async () => {
    const app = await buildApp(hub.hub, { limits: { atOnce: 1, mostWaiting: 1, patienceMs: 60_000 } });
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    const pages = await Promise.all([1, 2, 3].map(() => fetch(`${url}/api/v1/events`)));
    expect((await fetch(`${url}/api/v1/groups`)).status).toBe(200);
    for (const { body } of pages) await body?.cancel();
    await app.close();
  });
});
