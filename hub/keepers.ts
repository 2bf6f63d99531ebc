// What the janitor keeps small: figures over time, labels, outcomes, halves of uploads; and it says once which devices nobody heard of any more.
import type { Artifacts } from "./artifacts/artifacts.ts";
import type { Changes } from "./changes.ts";
import type { Keep } from "./config.ts";
import { STEPS } from "./core/series-pack.ts";
import type { Keeper } from "./janitor.ts";
import type { Leader } from "./leader.ts";
import type { Presence } from "./presence.ts";
import { rollUpDays } from "./rollup.ts";
import type { Store } from "./store/store.ts";
import { sum, sweep } from "./sweep.ts";

export interface KeeperPorts {
  store: Store;
  changes: Changes;
  presence: Pick<Presence, "lastSeen" | "isOnline">;
  artifacts: Pick<Artifacts, "discardUploads" | "list" | "remove" | "sharedWith">;
  /** Counts bytes of files that were removed. */
  removed: (bytes: number) => void;
  keep: Keep;
  leader: Pick<Leader, "term">;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Rows that are deleted in one go. */
const AT_ONCE = 500;
/** Always kept, because a device's page shows them and because an outcome that is told again must be known. */
const NEWEST_OUTCOMES = 100;
const MOST_OUTCOMES = 1_000;
const DEVICES_AT_ONCE = 10;

export function keepersOf(ports: KeeperPorts): Keeper[] {
  return [
    rollUpDays(ports.store, ports.leader),
    oldSeries(ports),
    oldOutcomes(ports),
    oldLabels(ports),
    abandonedUploads(ports),
    unusedFiles(ports),
    deadDevices(ports),
  ];
}

const before = (nowMs: number, days: number) => new Date(nowMs - days * DAY_MS).toISOString();

function oldSeries({ store, keep: { points } }: KeeperPorts): Keeper {
  return {
    name: "series",
    // Seldom and in long runs: each run also rewrites the pages at its two ends.
    everyMs: 2 * HOUR_MS,
    async slice(nowMs) {
      const rolledUpTo = (await store.series.rolledUpTo()) ?? -Infinity;
      for (const resolution of ["minute", "hour", "day"] as const) {
        const { stepMs, slots } = STEPS[resolution];
        // A block goes when its youngest point is too old; minutes only once their day is rolled up.
        const end = nowMs - points[resolution] * stepMs - slots * stepMs;
        const limit = resolution === "minute" ? Math.min(end, rolledUpTo) : end;
        if ((await store.series.deleteBefore(resolution, limit, AT_ONCE)) > 0) return true;
      }
      return false;
    },
  };
}

function oldOutcomes({ store, keep }: KeeperPorts): Keeper {
  let after = "";
  return {
    name: "outcomes",
    everyMs: DAY_MS,
    async slice(nowMs) {
      const ids = await store.retention.deviceIds(after, DEVICES_AT_ONCE);
      const rule = { before: before(nowMs, keep.outcomesDays), keep: NEWEST_OUTCOMES, most: MOST_OUTCOMES };
      for (const id of ids) await store.retention.pruneOutcomes(id, rule);
      after = ids.at(-1) ?? "";
      return ids.length > 0;
    },
  };
}

function oldLabels({ store, keep }: KeeperPorts): Keeper {
  return {
    name: "labels",
    everyMs: HOUR_MS,
    slice: async (nowMs) => (await store.retention.pruneLabels(before(nowMs, keep.labelsDays), AT_ONCE)) === AT_ONCE,
  };
}

/** Whoever means to go on with an upload does so within a day. */
function abandonedUploads({ artifacts }: KeeperPorts): Keeper {
  return {
    name: "abandoned uploads",
    everyMs: HOUR_MS,
    async slice(nowMs) {
      await artifacts.discardUploads(nowMs - DAY_MS);
      return false;
    },
  };
}

function unusedFiles({ store, changes, artifacts, keep, removed }: KeeperPorts): Keeper {
  let under: ReturnType<typeof sweep> | undefined;
  return {
    name: "unused files",
    everyMs: HOUR_MS,
    async slice(nowMs) {
      if (keep.unusedDays === 0) return false;
      under ??= sweep({
        store,
        artifacts,
        change: (work) => changes.make("janitor", work),
        limitMs: nowMs - keep.unusedDays * DAY_MS,
      });
      // One that fails has ended, and begins anew.
      const next = await under.next().catch((error: unknown) => {
        under = undefined;
        throw error;
      });
      if (next.done) under = undefined;
      else if (next.value.length > 0) removed(sum(next.value));
      return next.done !== true;
    },
  };
}

function deadDevices({ store, changes, presence, keep }: KeeperPorts): Keeper {
  return {
    name: "dead devices",
    everyMs: HOUR_MS,
    async slice(nowMs) {
      const limit = before(nowMs, keep.deadAfterDays);
      const silent = await store.retention.silentSince(limit, DEVICES_AT_ONCE);
      // What the store has of last-seen may be behind what this hub knows.
      const dead = silent.filter(({ id, last_seen }) => {
        return !presence.isOnline(id) && (presence.lastSeen(id) ?? last_seen) < limit;
      });
      if (dead.length === 0) return false;
      await changes.make("janitor", async ({ tx, touched, tell }) => {
        for (const { id, last_seen } of dead) {
          await tx.retention.setDead(id, last_seen);
          touched.devices.add(id);
          const days = Math.floor((nowMs - Date.parse(last_seen)) / DAY_MS);
          await tell("device.dead", id, `${id} was not heard of for ${days} days, since ${last_seen}`, { last_seen });
        }
      });
      return silent.length === DEVICES_AT_ONCE;
    },
  };
}
