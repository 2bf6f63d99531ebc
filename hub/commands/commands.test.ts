// The hub's commands on a real database: what was done to the history is found out, and a backup is a hub of its own.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { Kysely, sql as raw, SqliteDialect } from "kysely";
import { Migrator } from "kysely/migration";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MIGRATIONS } from "../store/migrations/index.ts";
import { openTestHub, type TestHub } from "../testing/test-hub.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
let hub: TestHub;
let out: string;
beforeEach(async () => {
  out = mkdtempSync(join(tmpdir(), "context-edge-commands-"));
  hub = await openTestHub();
  for (const version of ["v1", "v2", "v3"]) await hub.register(version);
  await hub.call("POST", "/mlops/models/v1/approve", {});
  await hub.call("POST", "/mlops/models/v2/reject", { reason: "not better" });
});
afterEach(async () => {
  await hub.close();
  rmSync(out, { recursive: true, force: true });
});

interface Ended {
  code: number;
  out: string;
  err: string;
}
function cli(words: string[], data = join(hub.dir, "data")): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, ...words],
      { env: { ...process.env, HUB_DATA: data } },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, out: stdout, err: stderr });
      },
    );
  });
}
function tamper(statements: string): void {
  const db = new Database(join(hub.dir, "data", "hub.sqlite"));
  db.exec(statements);
  db.close();
}

test("a history nobody touched is whole, and its export has every event with its hash", async () => {
  expect(await cli(["audit", "verify"])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/whole: \d+ events\. Head [0-9a-f]{64}/),
  });
  const lines = (await cli(["audit", "export"])).out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["version.approved", "version.rejected"]));
  expect(lines.slice(1).every((line, index) => line["previous_hash"] === lines[index]?.["hash"])).toBe(true);
});

test.each([
  ["a row removed from the middle", "DELETE FROM events WHERE id = 2", /event 3: an event before it was removed/],
  [
    "the newest row removed",
    "DELETE FROM events WHERE id = (SELECT max(id) FROM events)",
    /the newest events are missing/,
  ],
  [
    "a summary changed",
    "UPDATE events SET summary = 'nothing happened' WHERE id = 2",
    /event 2: its own content was changed/,
  ],
  ["an actor changed", "UPDATE events SET actor = 'somebody else' WHERE id = 1", /event 1: its own content/],
  [
    "a row changed and its hash made anew by somebody without the rest of the chain",
    "UPDATE events SET summary = 'x', hash = '00' WHERE id = 2",
    /event 2: its own content/,
  ],
])("fault 76: %s is found out", async (_, statements, words) => {
  tamper(statements);
  expect(await cli(["audit", "verify"])).toMatchObject({ code: 1, err: expect.stringMatching(words) });
});

test("a history from before the chain is chained in its order when the hub is updated", async () => {
  const file = join(out, "hub.sqlite");
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: new Database(file) }) });
  await new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } }).migrateTo("0002-hold");
  for (const subject of ["v1", "v2", "v3"]) {
    await raw`insert into events (at, kind, actor, subject, summary, data)
      values ('2026-01-01T00:00:00.000Z', 'version.registered', 'training', ${subject}, 'registered', '{}')`.execute(
      db,
    );
  }
  await db.destroy();
  expect(await cli(["audit", "verify"], out)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/whole: 3 events/),
  });
  const changed = new Database(file);
  changed.exec("UPDATE events SET summary = 'x' WHERE id = 1");
  changed.close();
  expect(await cli(["audit", "verify"], out)).toMatchObject({ code: 1 });
});

test("a backup made while the hub works holds what was acknowledged, and nothing half-made is left", async () => {
  const copy = join(out, "hub.sqlite");
  const busy = Promise.all(["v4", "v5", "v6"].map((version) => hub.register(version)));
  expect(await cli(["backup", copy])).toMatchObject({ code: 0 });
  await busy;
  expect((await stat(copy)).size).toBeGreaterThan(1_000);
  expect(await readdir(out)).toEqual(["hub.sqlite"]);
  // A data directory of its own: the copy opens, migrates and its history is whole.
  expect(await cli(["audit", "verify"], out)).toMatchObject({ code: 0 });
  expect(await cli(["backup", copy])).toMatchObject({ code: 1, err: expect.stringContaining("there already") });
});

test("a backup of PostgreSQL is for pg_dump, and the command says so without a look at the database", async () => {
  const ended = await new Promise<Ended>((resolve) => {
    const env = { ...process.env, DATABASE_URL: "postgres://127.0.0.1:1/nothing" };
    execFile(process.execPath, [MAIN, "backup", join(out, "x")], { env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), out: stdout, err: stderr }),
    );
  });
  expect(ended).toMatchObject({ code: 1, err: expect.stringContaining("pg_dump") });
});

test.each([[["audit"]], [["audit", "forget"]], [["backup"]], [["conquer"]]])(
  "%j is wrong use and says what is right",
  async (words) => {
    const ended = await cli(words);
    expect(ended.code).toBe(2);
    expect(ended.err.length).toBeGreaterThan(10);
  },
);
