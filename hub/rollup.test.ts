// Rolling days up when the database is busy in the middle, when another hub leads for a while, and when two believe that they lead.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Resolution } from "@context-edge/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pack, STEPS } from "./core/series-pack.ts";
import { ALWAYS_LEADER } from "./leader.ts";
import { rollUpDays } from "./rollup.ts";
import { openSeries } from "./series.ts";
import { openSqlite } from "./store/sqlite.ts";
import type { Repositories, Store } from "./store/store.ts";
import { device } from "./testing/sample-records.ts";

const START = Date.parse("2026-03-01T00:00:00.000Z");
const DAY = STEPS.day.stepMs;
const HOUR = STEPS.hour.stepMs;
const DEVICES = Array.from({ length: 7 }, (_, index) => `edge-00${index + 1}`);

let dir: string;
let store: Store;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "rollup-"));
  store = await openSqlite(join(dir, "hub.sqlite"));
  await store.groups.ensure("line", new Date(START).toISOString());
  for (const id of DEVICES) await store.devices.put({ ...device, id, group_name: "line", credential_hash: id });
  for (const day of [0, 1]) await count(day, DEVICES, 10);
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

/** That many predictions of each in the first minute of that day, or of a later hour of it. */
async function count(day: number, devices: readonly string[], many: number, hour = 0): Promise<void> {
  const atMs = START + day * DAY + hour * HOUR;
  const cells = pack("inference", new Map([[atMs, [many, 0, 0, 0]]]), atMs, STEPS.minute.stepMs);
  const key = { resolution: "minute", kind: "inference", model: "default", version: "v1", part: 1 } as const;
  await store.series.put(devices.map((id) => ({ ...key, atMs, subject: `d/${id}`, cells })));
}
async function predictions(resolution: Resolution, days: [number, number]): Promise<(number | undefined)[]> {
  const book = openSeries({ store, now: () => START, part: 99 });
  const [fromMs, toMs] = [START + days[0] * DAY, START + days[1] * DAY];
  return Promise.all(
    DEVICES.map(async (id) => {
      const cells = await book.read({ kind: "inference", resolution, fromMs, toMs, subjects: [`d/${id}`] });
      return cells.values().reduce((sum, cell) => sum + (cell[0] ?? 0), 0);
    }),
  );
}
const each = (predictionsEach: number) => DEVICES.map(() => predictionsEach);
const after = (days: number) => START + days * DAY + HOUR;

/** The store as it is, but writing figures goes through `put` first. */
const withPut = (put: () => Promise<void>): Store => {
  const over = (series: Repositories["series"]): Repositories["series"] => ({
    ...series,
    put: async (blocks) => {
      await put();
      return series.put(blocks);
    },
  });
  return {
    ...store,
    series: over(store.series),
    transaction: (work) => store.transaction((tx) => work({ ...tx, series: over(tx.series) })),
  };
};

test.each([1, 2, 3])(
  "write %i, which the database was too busy for, is done again, and no device loses its day",
  async (failing) => {
    let puts = 0;
    const busy = withPut(async () => {
      puts += 1;
      if (puts === failing) throw Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
    });
    const keeper = rollUpDays(busy, ALWAYS_LEADER);
    const failures: unknown[] = [];
    const slice = () =>
      keeper.slice(after(1)).catch((error: unknown) => {
        failures.push(error);
        return true;
      });
    while (await slice());
    expect(failures).toHaveLength(1);
    expect(await store.series.rolledUpTo()).toBe(START + DAY);
    expect(await predictions("hour", [0, 1])).toEqual(each(10));
  },
);

test("a hub that led, did not, and leads again begins its day anew", async () => {
  let term = 1;
  const first = rollUpDays(store, { term: () => term });
  // The group, then the first three devices.
  for (let slice = 0; slice < 2; slice += 1) await first.slice(after(1));
  // Another leads, ends that day, and the one after it is for the first again.
  const other = rollUpDays(store, ALWAYS_LEADER);
  while (await other.slice(after(1)));
  term = 2;
  while (await first.slice(after(2)));
  expect(await store.series.rolledUpTo()).toBe(START + 2 * DAY);
  expect(await predictions("hour", [1, 2])).toEqual(each(10));
});

test("what was written late while another hub led is in the day, though its device had its turn before", async () => {
  let term = 1;
  const first = rollUpDays(store, { term: () => term });
  for (let slice = 0; slice < 2; slice += 1) await first.slice(after(1));
  await count(0, DEVICES, 5, 2);
  term = 2;
  while (await first.slice(after(1)));
  expect(await predictions("day", [0, 1])).toEqual(each(15));
});

test("a hub that thaws and still believes that it leads does not undo what the next one did meanwhile", async () => {
  await count(0, DEVICES, 5, 1);
  let isThawed = false;
  const next = rollUpDays(store, ALWAYS_LEADER);
  const frozen: Store = {
    ...store,
    series: {
      ...store.series,
      read: async (filter) => {
        if (!isThawed && filter.subjects.includes("d/edge-001")) {
          isThawed = true;
          while (await next.slice(after(2)));
          // Minutes of days that are rolled up are being deleted, the oldest first.
          await store.series.deleteBefore("minute", START + HOUR, 1_000);
        }
        return store.series.read(filter);
      },
    },
  };
  const keeper = rollUpDays(frozen, ALWAYS_LEADER);
  for (let slice = 0; slice < 2; slice += 1) await keeper.slice(after(1));
  expect(isThawed).toBe(true);
  expect(await predictions("hour", [0, 1])).toEqual(each(15));
  expect(await predictions("day", [0, 2])).toEqual(each(25));
});

test("the mark up to which days are rolled up never goes back", async () => {
  for (const day of [2, 1]) await store.series.setRolledUpTo(START + day * DAY);
  expect(await store.series.rolledUpTo()).toBe(START + 2 * DAY);
});
