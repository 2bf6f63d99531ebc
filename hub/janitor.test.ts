// The janitor and what it must survive: keepers that fail, hubs that are not the leader, writes that fail, hubs that end and begin.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Observed } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { trackChanges } from "./changes.ts";
import { type Keeper, startJanitor } from "./janitor.ts";
import { keepersOf } from "./keepers.ts";
import { ALWAYS_LEADER } from "./leader.ts";
import { rollUpDay } from "./rollup.ts";
import { openSeries, type SeriesBook } from "./series.ts";
import { openSqlite } from "./store/sqlite.ts";
import type { Store } from "./store/store.ts";

const START = Date.parse("2026-03-01T00:00:00.000Z");
const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const digest = "a".repeat(64);

let dir: string;
let store: Store;
let nowMs: number;
beforeEach(async () => {
  nowMs = START;
  dir = mkdtempSync(join(tmpdir(), "janitor-"));
  store = await openSqlite(join(dir, "hub.sqlite"));
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

function keeper(name: string, more: number, done: string[]): Keeper {
  let left = more;
  return {
    name,
    everyMs: 1_000,
    slice: async () => {
      done.push(name);
      left -= 1;
      if (left < -1) throw new Error(`${name} is broken`);
      return left > 0;
    },
  };
}
const quiet = { error: () => undefined };

test("a keeper works slice after slice until nothing is left, rests for its interval, and a broken one stops nobody", async () => {
  const done: string[] = [];
  const broken: Keeper = { name: "broken", everyMs: 1_000, slice: () => Promise.reject(new Error("no")) };
  let writes = 0;
  const everywhere = [() => Promise.reject(new Error("disk full")), async () => void (writes += 1)];
  const keepers = [broken, keeper("a", 3, done), keeper("b", 1, done)];
  const janitor = startJanitor({ keepers, everywhere, now: () => nowMs, log: quiet });
  await Promise.all([janitor.round(), janitor.round()]);
  expect(done).toEqual(["a", "a", "a", "b"]);
  expect(writes).toBe(2);
  nowMs += 1_000;
  await janitor.round();
  expect(done).toHaveLength(6);
  await janitor.stop();
});

test("of several hubs only the leader cleans up, but each writes what it has in memory", async () => {
  const done: string[] = [];
  let [writes, isLeader] = [0, false];
  const everywhere = [async () => void (writes += 1)];
  const keepers = [keeper("a", 1, done)];
  const janitor = startJanitor({ keepers, everywhere, isLeader: () => isLeader, now: () => nowMs, log: quiet });
  await janitor.round();
  expect([done.length, writes]).toEqual([0, 1]);
  isLeader = true;
  await janitor.round();
  expect([done.length, writes]).toEqual([1, 2]);
  await janitor.stop();
});

const observed = (predictions: number): Observed => ({
  at: "2026-01-01T00:00:00.000Z",
  phase: "idle",
  inventory: { agent_version: "t", arch: "arm64" },
  models: {
    default: {
      current: { version: "v1", digest },
      backup: null,
      current_since: null,
      attempt: null,
      waiting: null,
      last_outcome: null,
      quarantined: [],
      stats: { since: "2020-01-01T00:00:00.000Z", digest, predictions, errors: 0, avg_ms: 1 },
    },
  },
  hold: null,
  telemetry: null,
  trouble: null,
  manifest_sequence: null,
  status_url: null,
});
const book = (part: number, of = store) => openSeries({ store: of, now: () => nowMs, part });
const count = (series: SeriesBook, predictions: number) =>
  series.take({ id: "edge-001", group: "line" }, observed(0), observed(predictions));
async function total(series: SeriesBook, resolution: "minute" | "hour" | "day" = "minute"): Promise<number> {
  const range = { fromMs: START, toMs: START + 2 * DAY };
  const cells = await series.read({ kind: "inference", resolution, ...range, subjects: ["d/edge-001"] });
  return [...cells.values()].reduce((sum, cell) => sum + (cell[0] ?? 0), 0);
}

test("what two hubs, or two lives of one hub, count in the same minute adds up", async () => {
  const [one, other] = [book(1), book(2)];
  count(one, 10);
  count(other, 5);
  expect(await total(one)).toBe(10);
  await Promise.all([one.flush("all"), other.flush("all")]);
  expect([await total(one), await total(other), await total(book(3))]).toEqual([15, 15, 15]);
  // The block is written early, filled further, and written again: nothing doubles.
  count(one, 7);
  await one.flush("all");
  expect([await total(one), await total(book(3))]).toEqual([22, 22]);
  nowMs += DAY;
  await one.flush("complete");
  expect(await total(one)).toBe(22);
});

test("a day that is rolled up a second time after a crash is the same day", async () => {
  const series = book(1);
  count(series, 10);
  nowMs += DAY;
  await series.flush("complete");
  for (let time = 0; time < 2; time += 1) await rollUpDay(store, START, ["d/edge-001", "g/line"]);
  await store.series.setRolledUpTo(START + DAY);
  expect([await total(series, "hour"), await total(series, "day")]).toEqual([10, 10]);
});

test("minutes stay until their day is rolled up, however short they are kept", async () => {
  const series = book(1);
  count(series, 10);
  nowMs += DAY / 2;
  await series.flush("complete");
  const points = { minute: 1, hour: 720, day: 400 };
  const keep = { points, labelsDays: 400, outcomesDays: 365, deadAfterDays: 90, unusedDays: 0 };
  const presence = { isOnline: () => true, lastSeen: () => null };
  const keepers = keepersOf({
    store,
    changes: trackChanges(store, () => nowMs),
    presence,
    artifacts: {
      discardUploads: async () => 0,
      list: async function* () {},
      remove: async () => undefined,
      sharedWith: async () => [],
    },
    removed: () => undefined,
    leader: ALWAYS_LEADER,
    keep,
  });
  await store.groups.ensure("line", new Date(START).toISOString());
  const janitor = startJanitor({ keepers, everywhere: [], now: () => nowMs, log: quiet });
  await janitor.round();
  expect(await total(series, "hour")).toBe(10);
  nowMs += DAY;
  await janitor.round();
  expect(await store.series.oldest("minute")).toBeNull();
  await janitor.stop();
});

test("fault 59: what a full disk did not take is kept in memory and written later, once", async () => {
  let isFull = true;
  const put: Store["series"]["put"] = async (blocks) => {
    if (isFull) throw new Error("SQLITE_FULL");
    return store.series.put(blocks);
  };
  const series = book(1, { ...store, series: { ...store.series, put } });
  count(series, 10);
  nowMs += 60 * MINUTE;
  await expect(series.flush("complete")).rejects.toThrow("SQLITE_FULL");
  expect(await total(series)).toBe(10);
  isFull = false;
  await series.flush("complete");
  expect([await total(series), await total(book(2))]).toEqual([10, 10]);
});
