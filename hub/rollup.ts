// Rolls a day up once it is over: its minutes into hours, its hours into one point of the month. Doing it again gives the same.
import type { SeriesKind } from "@context-edge/protocol";
import { blockMs, type Cells, floorTo, pack, rollUp, STEPS, addInto, unpack } from "./core/series-pack.ts";
import type { Keeper } from "./janitor.ts";
import type { Leader } from "./leader.ts";
import { ofDevice, ofGroup } from "./series.ts";
import type { SeriesBlock } from "./store/series.ts";
import type { Store } from "./store/store.ts";

const MINUTE_MS = STEPS.minute.stepMs;
const HOUR_MS = STEPS.hour.stepMs;
const DAY_MS = STEPS.day.stepMs;
/** By then every hub has written its minutes of the day before. */
const GRACE_MS = 30 * MINUTE_MS;
/** A device has up to 96 blocks of each kind a day: of more devices, reading them would be felt. */
const SUBJECTS_AT_ONCE = 3;

type Key = { subject: string; kind: SeriesKind; model: string; version: string };

/** Where a day's work stands: groups first, then devices by id. Of another day, or from before somebody else led, it means nothing. */
interface Cursor {
  dayMs: number;
  term: number;
  groups: readonly string[];
  after: string;
}

export function rollUpDays(store: Store, leader: Pick<Leader, "term">): Keeper {
  let cursor: Cursor | undefined;

  const begin = async (dayMs: number, term: number): Promise<Cursor> => {
    const groups = (await store.groups.list()).map(({ name }) => ofGroup(name));
    return { dayMs, term, groups, after: "" };
  };
  /** @returns what comes next and where the work stands when that is done. */
  const next = async (at: Cursor): Promise<{ subjects: readonly string[]; done: Cursor }> => {
    if (at.groups.length > 0) {
      const subjects = at.groups.slice(0, SUBJECTS_AT_ONCE);
      return { subjects, done: { ...at, groups: at.groups.slice(SUBJECTS_AT_ONCE) } };
    }
    const ids = await store.retention.deviceIds(at.after, SUBJECTS_AT_ONCE);
    return { subjects: ids.map(ofDevice), done: { ...at, after: ids.at(-1) ?? at.after } };
  };

  return {
    name: "rollups",
    everyMs: 10 * MINUTE_MS,
    async slice(nowMs) {
      const oldest = await store.series.oldest("minute");
      if (oldest === null) return false;
      const dayMs = Math.max((await store.series.rolledUpTo()) ?? -Infinity, floorTo(DAY_MS, oldest));
      if (dayMs + DAY_MS + GRACE_MS > nowMs) return false;
      const term = leader.term();
      const isGood = cursor?.dayMs === dayMs && cursor.term === term;
      const at = isGood && cursor ? cursor : await begin(dayMs, term);
      const { subjects, done } = await next(at);
      if (subjects.length > 0) await rollUpDay(store, dayMs, subjects);
      else await store.series.setRolledUpTo(dayMs + DAY_MS);
      // Only now: what failed is done again, and done twice it is the same.
      cursor = done;
      return true;
    },
  };
}

export async function rollUpDay(store: Store, dayMs: number, subjects: readonly string[]): Promise<void> {
  const blockSpan = blockMs("minute");
  const starts = Array.from({ length: DAY_MS / blockSpan }, (_, index) => dayMs + index * blockSpan);
  const minutes = await store.series.read({ resolution: "minute", atMs: starts, subjects });
  if (minutes.length === 0) return;
  const series = new Map<string, { key: Key; hours: Cells }>();
  for (const { subject, kind, model, version, atMs, cells } of minutes) {
    const name = [subject, kind, model, version].join(" ");
    const one = series.get(name) ?? { key: { subject, kind, model, version }, hours: new Map() };
    series.set(name, one);
    for (const [at, cell] of unpack(kind, cells, atMs, MINUTE_MS)) addInto(kind, one.hours, floorTo(HOUR_MS, at), cell);
  }
  const monthMs = floorTo(blockMs("day"), dayMs);
  // Behind the lock of all writers: of two hubs that both believe to lead, one would else write the month without the other's days.
  await store.transaction(async (tx) => {
    if (((await tx.series.rolledUpTo()) ?? -Infinity) > dayMs) return;
    const months = await tx.series.read({ resolution: "day", atMs: [monthMs], subjects });
    const blocks = [...series.values()].flatMap(({ key, hours }): SeriesBlock[] => {
      const known = months.find(
        ({ subject, kind, model, version }) =>
          subject === key.subject && kind === key.kind && model === key.model && version === key.version,
      );
      const days: Cells = known ? unpack(key.kind, known.cells, monthMs, DAY_MS) : new Map();
      // Set, not added: after a crash midway the day is rolled up once more.
      for (const [at, cell] of rollUp(key.kind, hours, DAY_MS)) days.set(at, cell);
      return [
        { ...key, resolution: "hour", atMs: dayMs, part: 0, cells: pack(key.kind, hours, dayMs, HOUR_MS) },
        { ...key, resolution: "day", atMs: monthMs, part: 0, cells: pack(key.kind, days, monthMs, DAY_MS) },
      ];
    });
    await tx.series.put(blocks);
  });
}
