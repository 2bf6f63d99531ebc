// One contestant of the database bench: devices report for some days of virtual time into a real SQLite file; prints what that cost.
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import Database from "better-sqlite3";
import { trackChanges } from "../hub/changes.ts";
import { startJanitor } from "../hub/janitor.ts";
import { keepersOf } from "../hub/keepers.ts";
import { rememberNewest } from "../hub/newest.ts";
import { trackPresence } from "../hub/presence.ts";
import { FLUSH_MS } from "../hub/pulse.ts";
import { openReportDesk } from "../hub/reports.ts";
import { openSeries } from "../hub/series.ts";
import { openSqlite } from "../hub/store/sqlite.ts";
import { DAY_MINUTES, MINUTE_MS, simulatedDevice, transitionsOf } from "./database-fleet.ts";
import type { Report } from "@context-edge/protocol";

export type Contestant = "hub" | "every report" | "row per heartbeat" | "nothing";
export interface Task {
  design: Contestant;
  devices: number;
  days: number;
}
export interface DayFigures {
  grownBytes: number;
  writtenBytes: number;
  stallP99Ms: number;
  stallMaxMs: number;
}

const START = Date.parse("2026-03-01T00:00:00.000Z");
const REPORTS_PER_TURN = 10;
const task = JSON.parse(process.argv[2] ?? "{}") as Task;

/** The same sequence in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Design {
  take(report: Report): Promise<unknown>;
  minute(): Promise<void>;
  close(): Promise<void>;
}

const dir = mkdtempSync(join(tmpdir(), "context-edge-database-"));
const file = join(dir, "hub.sqlite");
let nowMs = START;
const ids = Array.from({ length: task.devices }, (_, index) => `edge-${String(index).padStart(5, "0")}`);

async function openHubsPart(heartbeatWriteMs: number): Promise<Design> {
  const now = () => nowMs;
  const newest = rememberNewest();
  const store = newest.over(await openSqlite(file));
  const changes = trackChanges(store, now);
  const at = new Date(START).toISOString();
  await store.transaction(async (tx) => {
    await tx.groups.ensure("line", at);
    for (const id of ids) {
      const nothing = { home_group: null, hold: null, outbox: null, observed: null, last_outcomes: {}, revoked: false };
      const numbers = { assignment_sequence: START, observed_number: 0, outcome_number: 0 };
      await tx.devices.put({
        id,
        group_name: "line",
        credential_hash: id,
        enrolled_at: at,
        last_seen: at,
        ...nothing,
        ...numbers,
      });
    }
  });
  const series = openSeries({ store, now, part: 1 });
  const reports = openReportDesk({
    changes,
    store,
    newest,
    heartbeatWriteMs,
    // Nothing is gathered: the worst case, in which no two devices have news at the same moment.
    gatherMs: 0,
    now,
    afterBatch: () => undefined,
    onObserved: (device, before, after) => series.take(device, before, after),
  });
  const points = { minute: 1_440, hour: 720, day: 400 };
  const keep = { points, labelsDays: 400, outcomesDays: 365, deadAfterDays: 90, unusedDays: 0 };
  const presence = trackPresence(new Map(), { offlineAfterMs: 3 * MINUTE_MS, now, store });
  const janitor = startJanitor({
    keepers: keepersOf({
      store,
      changes,
      presence,
      artifacts: {
        discardUploads: async () => 0,
        list: async function* () {},
        remove: async () => undefined,
        sharedWith: async () => [],
      },
      removed: () => undefined,
      leader: { term: () => 0 },
      keep,
    }),
    everywhere: [() => series.flush("complete"), () => reports.flush("silent")],
    now,
    log: { error: (problem: unknown) => console.error(problem) },
  });
  return {
    take: (report) => {
      presence.seen(report.device);
      return reports.take(report.device, report);
    },
    async minute() {
      await janitor.round();
      if (nowMs % FLUSH_MS === 0) await presence.flush();
    },
    async close() {
      await janitor.stop();
      await store.close();
    },
  };
}

/** What most begin with: an insert for each heartbeat, gathered in transactions as the hub gathers reports. */
function openRows(): Design {
  const db = new Database(file);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec(`create table heartbeats (id integer primary key, device_id text not null, at text not null, phase text not null,
    version text, predictions integer, errors integer, avg_ms real, temperature real, power real);
    create index heartbeats_by_device on heartbeats (device_id, at)`);
  const insert = db.prepare("insert into heartbeats values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const insertAll = db.transaction((rows: Report[]) => {
    for (const { device, observed } of rows) {
      const state = observed?.state;
      const model = state?.models["default"];
      const { predictions, errors, avg_ms } = model?.stats ?? { predictions: 0, errors: 0, avg_ms: null };
      const sensors = [state?.telemetry?.temperatures_c["gpu-thermal"], state?.telemetry?.power_mw["VDD_IN"]];
      insert.run(device, state?.at, state?.phase, model?.current?.version, predictions, errors, avg_ms, ...sensors);
    }
  });
  let waiting: Report[] = [];
  const write = () => {
    if (waiting.length > 0) insertAll(waiting.splice(0));
  };
  return {
    take: async (report) => {
      waiting.push(report);
      if (waiting.length >= 16) write();
    },
    minute: async () => write(),
    close: async () => void db.close(),
  };
}

const nothing: Design = { take: async () => undefined, minute: async () => undefined, close: async () => undefined };

function diskBytes(): number {
  const io = readFileSync("/proc/self/io", "utf8");
  return Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? Number.NaN);
}
/** The file once everything of the log is in it, without pages that wait to be used again. */
function usedBytes(): number {
  if (task.design === "nothing") return 0;
  const db = new Database(file);
  db.pragma("wal_checkpoint(TRUNCATE)");
  const [pages, free, size] = ["page_count", "freelist_count", "page_size"].map((name) =>
    Number(db.pragma(name, { simple: true })),
  );
  db.close();
  return ((pages ?? 0) - (free ?? 0)) * (size ?? 0);
}

const contestant =
  task.design === "hub"
    ? await openHubsPart(24 * 3_600_000)
    : task.design === "every report"
      ? await openHubsPart(0)
      : task.design === "row per heartbeat"
        ? openRows()
        : nothing;
const fleet = ids.map((id, index) => simulatedDevice(id, seeded(index + 1)));
const transitions = ids.map((_, index) => transitionsOf(index));
const days: DayFigures[] = [];
let bytes = usedBytes();
let written = diskBytes();
for (let day = 0; day < task.days; day += 1) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (let minute = 0; minute < DAY_MINUTES; minute += 1) {
    nowMs = START + (day * DAY_MINUTES + minute) * MINUTE_MS;
    const receipts: Promise<unknown>[] = [];
    for (const [index, device] of fleet.entries()) {
      for (const transition of transitions[index]?.get(minute) ?? [])
        await contestant.take(device.report(nowMs, transition));
      receipts.push(contestant.take(device.report(nowMs, undefined)));
      if (index % REPORTS_PER_TURN === 0) await yieldToOthers();
    }
    await Promise.all(receipts);
    await contestant.minute();
  }
  delay.disable();
  const [bytesNow, writtenNow] = [usedBytes(), diskBytes()];
  days.push({
    grownBytes: (bytesNow - bytes) / task.devices,
    writtenBytes: (writtenNow - written) / task.devices,
    // The sampler's own period is part of what it sees.
    stallP99Ms: delay.percentile(99) / 1e6 - 1,
    stallMaxMs: delay.max / 1e6 - 1,
  });
  [bytes, written] = [bytesNow, writtenNow];
}
const fileBytes = task.design === "nothing" ? 0 : statSync(file).size;
await contestant.close();
rmSync(dir, { recursive: true });
process.stdout.write(`${JSON.stringify({ days, fileBytes })}\n`);
