// A database of the release before 0013, filled, brought up to date: nobody's last sight and no outcome is lost, and their order stays.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { Kysely, sql, SqliteDialect } from "kysely";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { migrateOnlyTo } from "../../testing/old-database.ts";
import { startPostgres } from "../../testing/postgres.ts";
import { tellOutcome } from "../../testing/sample-records.ts";
import { openPostgres } from "../postgres.ts";
import { kyselyOn } from "../postgres-dialect.ts";
import { openSqlite } from "../sqlite.ts";
import type { Store } from "../store.ts";

const dir = mkdtempSync(join(tmpdir(), "context-edge-written-once-"));
const file = join(dir, "hub.sqlite");
const postgres = await startPostgres();
afterAll(async () => {
  await postgres?.close();
  rmSync(dir, { recursive: true });
});

type Opened = { old: Kysely<never>; open: () => Promise<Store> };
const PLACES: [string, () => Promise<Opened>][] = [
  [
    "SQLite",
    async () => ({
      old: new Kysely<never>({ dialect: new SqliteDialect({ database: new Database(file) }) }),
      open: () => openSqlite(file),
    }),
  ],
];
if (postgres) {
  PLACES.push([
    "PostgreSQL",
    async () => {
      const connectionString = await postgres.database();
      const old = kyselyOn(new pg.Pool({ connectionString })) as unknown as Kysely<never>;
      return { old, open: () => openPostgres(connectionString) };
    },
  ]);
}

const AT = "2026-01-01T00:00:00.000Z";
const reportOf = (message: string) => ({
  model: "default",
  version: "v1",
  digest: "a".repeat(64),
  deployment_id: "dep-1",
  outcome: "committed" as const,
  code: "OK",
  message,
  next_step: "",
  at: AT,
  evidence: {},
});

test.each(PLACES)(
  "last sights and outcomes of before are there, in their order, and new ones come after them, on %s",
  async (_, find) => {
    const { old, open } = await find();
    await migrateOnlyTo(old, "0012-files");
    await sql`insert into groups (name, created_at, manifest_sequence) values ('line', ${AT}, 1)`.execute(old);
    for (const [id, seen] of [
      ["edge-001", AT],
      ["edge-002", null],
    ])
      await sql`insert into devices (id, group_name, credential_hash, enrolled_at, last_seen, revoked, assignment_sequence,
      observed_number, outcome_number, last_outcomes)
      values (${id}, 'line', ${id}, ${AT}, ${seen}, 0, 1, 0, 0, '{}')`.execute(old);
    // Numbers with gaps, as PostgreSQL gives them, and not in the order of the key.
    for (const [id, outbox, number] of [
      [7, "z", 1],
      [90, "a", 1],
      [900, "a", 2],
    ] as const) {
      const report = JSON.stringify(reportOf(`${outbox}${number}`));
      await sql`insert into events (at, kind, actor, subject, summary, data, previous_hash, hash)
      values (${AT}, 'device.committed', 'devices', 'edge-001', 'x', '{}', '', '')`.execute(old);
      await sql`insert into outcomes (id, device_id, outbox, number, deployment_id, at, report)
      values (${id}, 'edge-001', ${outbox}, ${number}, 'dep-1', ${AT}, ${report})`.execute(old);
    }
    await old.destroy();

    const store = await open();
    const later = "2026-01-02T00:00:00.000Z";
    expect((await store.devices.list()).map(({ id, last_seen }) => [id, last_seen])).toEqual([
      ["edge-001", AT],
      ["edge-002", null],
    ]);
    expect(await store.retention.silentSince(later, 10)).toHaveLength(2);
    await store.devices.touch(new Map([["edge-002", later]]));
    expect((await store.devices.find("edge-002"))?.last_seen).toBe(later);

    const key = { device_id: "edge-001", outbox: "a" };
    expect([
      await store.outcomes.isKnown({ ...key, number: 2 }),
      await store.outcomes.isKnown({ ...key, number: 3 }),
    ]).toEqual([true, false]);
    await tellOutcome(store, { ...key, number: 3, report: reportOf("a3") });
    const told = await store.outcomes.ofDevice("edge-001", 10);
    expect(told.map(({ report: { message } }) => message)).toEqual(["a3", "a2", "a1", "z1"]);
    const [, second] = told;
    const older = await store.outcomes.ofDevice("edge-001", 10, second?.id);
    expect(older.map(({ report: { message } }) => message)).toEqual(["a1", "z1"]);
    const rule = { before: later, keep: 1, most: 100 };
    expect(await store.retention.pruneOutcomes("edge-001", rule)).toBe(3);
    expect((await store.outcomes.ofDevice("edge-001", 10)).map(({ report: { message } }) => message)).toEqual(["a3"]);
    await store.close();
  },
);
