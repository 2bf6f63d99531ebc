// Heartbeats: what is news is on the disk before its receipt, what is not costs no write, and nothing is lost in an orderly end.
import type { ObservedModel, Phase, Series } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CountingHub, DAY, HOUR, MINUTE, openCountingHub, START, telemetry } from "./testing/counting-hub.ts";
import { until, type TestHub } from "./testing/test-hub.ts";

const AT = "2026-03-01T00:00:00.000Z";
let counting: CountingHub;
let hub: TestHub;
let clock: CountingHub["clock"];
const minutes: CountingHub["minutes"] = (...more) => counting.minutes(...more);
const series: CountingHub["series"] = (query) => counting.series(query);
beforeEach(async () => {
  counting = await openCountingHub();
  ({ hub, clock } = counting);
});
afterEach(() => hub.close());

const predictionsIn = ({ points }: Series) => points.reduce((sum, point) => sum + (point.predictions ?? 0), 0);
const stored = () => hub.hub.store.devices.find("edge-001");
const BEGAN = { deployment_id: "dep-1", version: "v2", digest: "b".repeat(64), started_at: AT, download: null };
/** The device tells that its attempt has come to this phase. */
async function tellPhase(phase: Phase, more: Partial<ObservedModel> = {}): Promise<void> {
  const model = counting.model()["default"];
  if (!model) throw new Error("there is no such model");
  const attempt = { ...BEGAN, phase, steps: [{ phase, at: AT }] };
  const models = { default: { ...model, attempt, ...more } };
  await counting.device.report("v1", undefined, { phase, models, telemetry });
}

test("fault 64: reordered and doubled heartbeats count once", async () => {
  await minutes(2);
  const newest = await stored();
  const send = (number: number, predictions: number) => {
    const state = {
      ...newest?.observed,
      models: { default: counting.model({ predictions })["default"] },
    };
    const payload = { device: "edge-001", outbox: newest?.outbox, observed: { number, state }, outcomes: [] };
    return hub.app.inject({ method: "POST", url: "/device/v1/reports", headers: counting.device.headers, payload });
  };
  clock.ms += MINUTE;
  for (const [number, predictions] of [
    [13, 1_100],
    [11, 1_050],
    [13, 1_100],
    [12, 1_070],
  ] as const)
    expect((await send(number, predictions)).statusCode).toBe(200);
  clock.ms += MINUTE;
  expect(predictionsIn(await series("device=edge-001"))).toBe(1_100 - 1_010);
  expect((await stored())?.observed?.models["default"]?.stats?.predictions).toBe(1_100);
});

test("a heartbeat without news is seen by everyone and written by nobody, until the device falls silent", async () => {
  await minutes(3);
  const onDisk = async () => {
    // A second connection knows nothing of what this hub has in memory.
    const { openSqlite } = await import("./store/sqlite.ts");
    const other = await openSqlite(`${hub.dir}/data/hub.sqlite`);
    const found = await other.devices.find("edge-001");
    await other.close();
    return found?.observed?.models["default"]?.stats?.predictions;
  };
  expect(await onDisk()).toBe(1_010);
  const shown = (await hub.call("GET", "/api/v1/devices/edge-001")).body["models"];
  expect(shown).toMatchObject({ default: { stats: { predictions: 1_030 } } });
  // What pages and deployments are made of is told of heartbeats a moment later.
  const inFleet = async () =>
    (await hub.hub.fleet()).device("edge-001")?.observed?.models["default"]?.stats?.predictions;
  await until(async () => (await inFleet()) === 1_030);

  clock.ms += 4 * MINUTE;
  await hub.hub.janitor.round();
  expect(await onDisk()).toBe(1_030);
});

test.each([
  ["a phase", { phase: "blocked" as const }],
  ["a trouble", { trouble: { code: "DISK_FULL", message: "full", next_step: "" } }],
  ["a hold", { hold: { until: "2026-04-01T00:00:00.000Z", reason: "line runs" } }],
  ["a manifest", { manifest_sequence: 7 }],
])("%s is news and on the disk before its receipt", async (_, news) => {
  await minutes(2);
  const number = (await stored())?.observed_number;
  clock.ms += MINUTE;
  const report = { models: counting.model(), telemetry, at: new Date(clock.ms).toISOString() };
  let written = 0;
  const { store } = hub.hub;
  const before = { ...store };
  store.transaction = (work) => {
    written += 1;
    return before.transaction(work);
  };
  await counting.device.report("v1", undefined, report);
  await counting.device.report("v1", undefined, { ...report, ...news });
  expect(written).toBe(1);
  expect((await stored())?.observed_number).toBe((number ?? 0) + 2);
});

test("an attempt's beginning, its swap and a turn for the worse are on the disk before their receipts, its steps in between within five minutes", async () => {
  await minutes(2);
  const { openSqlite } = await import("./store/sqlite.ts");
  const other = await openSqlite(`${hub.dir}/data/hub.sqlite`);
  const onDisk = async () =>
    (await other.devices.find("edge-001"))?.observed?.models["default"]?.attempt?.phase ?? "none";
  const tell = async (...args: Parameters<typeof tellPhase>) => {
    await tellPhase(...args);
    const { body } = await hub.call("GET", "/api/v1/devices/edge-001");
    return [body["phase"], await onDisk()];
  };

  expect(await tell("downloading")).toEqual(["downloading", "downloading"]);
  // Everybody sees it, and a killed hub would hear it again with the next heartbeat.
  expect(await tell("verifying")).toEqual(["verifying", "downloading"]);
  clock.ms += MINUTE;
  expect(await tell("activating")).toEqual(["activating", "downloading"]);
  clock.ms += 4 * MINUTE;
  expect(await tell("activating")).toEqual(["activating", "activating"]);
  const swapped = { current: { version: "v2", digest: BEGAN.digest } };
  expect(await tell("probing", swapped)).toEqual(["probing", "probing"]);
  expect(await tell("soaking", swapped)).toEqual(["soaking", "probing"]);
  expect(await tell("rolling-back", swapped)).toEqual(["rolling-back", "rolling-back"]);
  expect(await tell("idle", { attempt: null })).toEqual(["idle", "none"]);
  await other.close();
});

test("a step that is not written yet is told to the fleet and to the conductor a moment later", async () => {
  await minutes(1);
  await tellPhase("downloading");
  let woken = 0;
  hub.hub.conductor.wake = () => void (woken += 1);
  await tellPhase("verifying");
  await until(async () => woken > 0);
  expect((await hub.hub.fleet()).device("edge-001")?.observed?.phase).toBe("verifying");
});

test("what a device that falls silent in the middle of an attempt said last is on the disk minutes later", async () => {
  await minutes(1);
  await tellPhase("downloading");
  await tellPhase("probing");
  const { openSqlite } = await import("./store/sqlite.ts");
  const other = await openSqlite(`${hub.dir}/data/hub.sqlite`);
  const onDisk = async () => (await other.devices.find("edge-001"))?.observed?.phase;
  expect(await onDisk()).toBe("downloading");
  clock.ms += 4 * MINUTE;
  await hub.hub.janitor.round();
  expect(await onDisk()).toBe("probing");
  await other.close();
});

test("errors that rise are written within five minutes, because a gate decides on them after a restart", async () => {
  await minutes(8);
  const { openSqlite } = await import("./store/sqlite.ts");
  const other = await openSqlite(`${hub.dir}/data/hub.sqlite`);
  expect((await other.devices.find("edge-001"))?.observed?.models["default"]?.stats?.errors).toBeGreaterThan(0);
  await other.close();
});

test("a device that is silent for long is told dead once, and told back when it reports", async () => {
  await minutes(1);
  clock.ms += 91 * DAY;
  const kinds = async () => {
    const { items } = (await hub.call("GET", "/api/v1/audit")).body as { items: { kind: string }[] };
    return items.map(({ kind }) => kind).filter((kind) => /dead|back/.test(kind));
  };
  await hub.hub.janitor.round();
  clock.ms += 2 * HOUR;
  await hub.hub.janitor.round();
  expect(await kinds()).toEqual(["device.dead"]);
  expect((await hub.call("GET", "/api/v1/devices/edge-001")).body["dead"]).toBe(true);
  await minutes(1);
  await until(async () => (await kinds()).length === 2);
  expect((await hub.call("GET", "/api/v1/devices/edge-001")).body).not.toHaveProperty("dead");
});

test("a hub that ends in order has written everything it had in memory", async () => {
  await minutes(3);
  const { config } = hub.hub;
  await hub.hub.close();
  const { openHub } = await import("./hub.ts");
  const next = await openHub(config, () => clock.ms);
  expect((await next.store.devices.find("edge-001"))?.observed?.models["default"]?.stats?.predictions).toBe(1_030);
  const question = { kind: "inference" as const, resolution: "minute" as const, subjects: ["d/edge-001"] };
  const cells = await next.series.read({ ...question, fromMs: START, toMs: clock.ms + MINUTE });
  expect([...cells.values()].map(([predictions]) => predictions)).toEqual([10, 10]);
  hub.hub.close = () => next.close();
});
