// Last-seen times: in memory for everybody at once, on the disk within minutes, in few statements and without holding anybody up.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { trackPresence } from "./presence.ts";
import { openSqlite } from "./store/sqlite.ts";
import type { Store } from "./store/store.ts";
import { putDevices } from "./testing/many-devices.ts";

const IDS = Array.from({ length: 1_000 }, (_, n) => `edge-${n}`);
let dir: string;
let store: Store;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "context-edge-presence-"));
  store = await openSqlite(join(dir, "hub.sqlite"));
  await putDevices(store, IDS, "plant");
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

async function setUp() {
  const clock = { ms: Date.parse("2026-05-01T00:00:00.000Z") };
  const known = new Map((await store.devices.list()).map(({ id, last_seen }) => [id, last_seen]));
  return { clock, presence: trackPresence(known, { offlineAfterMs: 90_000, now: () => clock.ms, store }) };
}

test("a thousand sightings are written in a handful of statements, each device with its own time, and only once", async () => {
  const { clock, presence } = await setUp();
  for (const id of IDS) {
    clock.ms += 1;
    presence.seen(id);
  }
  const devices = { ...store.devices };
  let statements = 0;
  store.devices.touch = (seen) => {
    statements += 1;
    return devices.touch(seen);
  };
  await presence.flush();
  expect(statements).toBeLessThanOrEqual(5);
  const start = Date.parse("2026-05-01T00:00:00.000Z");
  for (const [at, id] of IDS.entries()) {
    expect((await store.devices.find(id))?.last_seen).toBe(new Date(start + at + 1).toISOString());
  }
  await presence.flush();
  expect(statements, "nobody was seen since").toBeLessThanOrEqual(5);
});

test("a flush that fails forgets no sighting, and one that came meanwhile is written the next time", async () => {
  const { clock, presence } = await setUp();
  const devices = { ...store.devices };
  store.devices.touch = () => Promise.reject(new Error("the disk is full"));
  presence.seen("edge-7");
  await expect(presence.flush()).rejects.toThrow("full");
  store.devices.touch = async (seen) => {
    clock.ms += 5_000;
    presence.seen("edge-7");
    store.devices.touch = devices.touch.bind(devices);
    await devices.touch(seen);
  };
  await presence.flush();
  await presence.flush();
  expect((await store.devices.find("edge-7"))?.last_seen).toBe(presence.lastSeen("edge-7"));
});

test("a start tells of nobody; a device that then stays silent is told of once, and so is its return", async () => {
  const { clock, presence } = await setUp();
  expect(presence.changed()).toEqual([]);
  clock.ms += 60_000;
  for (const id of IDS) if (id !== "edge-7") presence.seen(id);
  clock.ms += 60_000;
  expect(presence.changed()).toEqual(["edge-7"]);
  expect(presence.changed()).toEqual([]);
  presence.seen("edge-7");
  expect(presence.changed()).toEqual(["edge-7"]);
});

test.each([
  ["forward by a day", 86_400_000],
  ["back by a day", -86_400_000],
])("a clock that is set %s makes nobody offline, and what is told follows the new time", async (_title, jumpMs) => {
  const clock = { wallMs: Date.parse("2026-05-01T00:00:00.000Z"), upMs: 5_000 };
  const clocks = { now: () => clock.wallMs, uptime: () => clock.upMs };
  const presence = trackPresence(new Map(), { offlineAfterMs: 90_000, ...clocks, store });
  presence.seen("edge-7");
  clock.wallMs += jumpMs;
  expect(presence.isOnline("edge-7")).toBe(true);
  expect(presence.countOnline(["edge-7", "edge-8"])).toBe(1);
  expect(presence.lastSeen("edge-7")).toBe(new Date(clock.wallMs).toISOString());
  clock.upMs += 90_000;
  clock.wallMs += 90_000;
  expect(presence.isOnline("edge-7")).toBe(false);
  expect(presence.countOnline(["edge-7", "edge-8"])).toBe(0);
});
