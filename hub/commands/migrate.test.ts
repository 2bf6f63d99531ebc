// No command but `migrate` changes a schema: a newer release's command beside an older hub takes nothing away, and says what to do.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { Kysely, sql, SqliteDialect } from "kysely";
import pg from "pg";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HubConfig, readConfig } from "../config.ts";
import { lockData } from "../store/data-lock.ts";
import { MIGRATIONS } from "../store/migrations/index.ts";
import { kyselyOn } from "../store/postgres-dialect.ts";
import { type Ended, runHere } from "../testing/command-line.ts";
import { migrateOnlyTo } from "../testing/old-database.ts";
import { startPostgres } from "../testing/postgres.ts";
import { audit } from "./audit.ts";
import type { Command } from "./command.ts";
import { migrate } from "./migrate.ts";
import { joinToken, token } from "./token.ts";
import { user } from "./user.ts";

const postgres = await startPostgres();
afterAll(() => postgres?.close());

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "context-edge-migrate-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

type Db = Pick<Kysely<never>, "destroy" | "getExecutor">;
interface Place {
  config: HubConfig;
  /** Past the hub, as another release would. */
  open(): Db & Kysely<never>;
}

function placeOf(env: Record<string, string>, open: () => unknown): Place {
  const configured = readConfig({ HUB_DATA: dir, ...env });
  if (!configured.ok) throw new Error(configured.reason);
  return { config: configured.config, open: open as Place["open"] };
}
const onSqlite = async () =>
  placeOf({}, () => new Kysely({ dialect: new SqliteDialect({ database: new Database(join(dir, "hub.sqlite")) }) }));
const PLACES: [string, () => Promise<Place>][] = [["SQLite", onSqlite]];
if (postgres) {
  PLACES.push([
    "PostgreSQL",
    async () => {
      const connectionString = await postgres.database();
      return placeOf({ DATABASE_URL: connectionString }, () => kyselyOn(new pg.Pool({ connectionString })));
    },
  ]);
}

async function withDb<T>(place: Place, work: (db: Kysely<never>) => Promise<T>): Promise<T> {
  const db = place.open();
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}
const migrateTo = (place: Place, name: string) => withDb(place, (db) => migrateOnlyTo(db, name));
const done = (place: Place) =>
  withDb(place, async (db) => {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
    return rows.map(({ name }) => name);
  });

const NEWEST = Object.keys(MIGRATIONS).at(-1) ?? "";
const CHANGING: [string, Command, string[]][] = [
  ["user", user, ["list"]],
  ["user", user, ["disable", "ada"]],
  ["token", token, ["create", "ci", "--scope", "viewer"]],
  ["join-token", joinToken, ["list"]],
];

describe.each(PLACES)("on %s", (_, find) => {
  let place: Place;
  beforeEach(async () => {
    place = await find();
  });
  const run = (command: Command, ...words: string[]): Promise<Ended> => runHere(command, place.config, words);

  test("on an older schema commands refuse and change nothing, the audit is read as it is, and migrate brings it up to date", async () => {
    await migrateTo(place, "0007-series");
    const before = await done(place);
    for (const [name, command, words] of CHANGING) {
      const { code, err } = await run(command, ...words);
      expect([code, err], name).toMatchObject([
        1,
        expect.stringMatching(/older release.*0009-idempotency.*hub migrate/),
      ]);
    }
    expect(await run(audit, "verify")).toMatchObject({ code: 0, out: expect.stringContaining("empty") });
    expect(await run(migrate, "--check")).toMatchObject({
      code: 1,
      out: expect.stringMatching(/0009-idempotency.*backup/s),
    });
    expect(await done(place)).toEqual(before);

    expect(await run(migrate)).toMatchObject({ code: 0, out: expect.stringContaining("Done: 0009-idempotency") });
    expect(await run(migrate, "--check")).toMatchObject({ code: 0 });
    expect((await run(user, "list")).code).toBe(0);
    expect(await done(place)).toEqual(Object.keys(MIGRATIONS));
  });

  test("on a newer schema every command refuses by the name of what it does not know", async () => {
    await migrateTo(place, NEWEST);
    await withDb(place, (db) => sql`insert into kysely_migration values ('9999-tomorrow', '2030')`.execute(db));
    const all: typeof CHANGING = [
      ...CHANGING,
      ["audit", audit, ["verify"]],
      ["migrate", migrate, []],
      ["migrate", migrate, ["--check"]],
    ];
    for (const [name, command, words] of all)
      expect([name, await run(command, ...words)]).toMatchObject([
        name,
        { code: 1, err: expect.stringMatching(/newer.*9999-tomorrow/) },
      ]);
  });

  test("a history from before the chain is not called whole, and is chained in its order by migrate", async () => {
    await migrateTo(place, "0002-hold");
    await withDb(place, async (db) => {
      for (const subject of ["v1", "v2", "v3"]) {
        await sql`insert into events (at, kind, actor, subject, summary, data)
          values ('2026-01-01T00:00:00.000Z', 'version.registered', 'training', ${subject}, 'registered', '{}')`.execute(
          db,
        );
      }
    });
    for (const word of ["verify", "export", "head"])
      expect(await run(audit, word)).toMatchObject({
        code: 1,
        out: "",
        err: expect.stringContaining("before there was one"),
      });
    expect((await run(migrate)).code).toBe(0);
    expect(await run(audit, "verify")).toMatchObject({ code: 0, out: expect.stringContaining("whole: 3 events") });
    await withDb(place, (db) => sql`update events set summary = 'x' where id = 1`.execute(db));
    expect(await run(audit, "verify")).toMatchObject({ code: 1 });
  });

  test("an empty database is given its schema by the first command, as an account may be made before the first start", async () => {
    expect((await run(user, "list")).code).toBe(0);
    expect(await done(place)).toEqual(Object.keys(MIGRATIONS));
  });
});

test("nothing is migrated under a running hub", async () => {
  const place = await onSqlite();
  await migrateTo(place, "0007-series");
  const hub = await lockData(dir, "hub");
  expect(await runHere(migrate, place.config, [])).toMatchObject({
    code: 1,
    err: expect.stringContaining("A hub works on"),
  });
  hub?.release();
  expect(await done(place)).not.toContain("0009-idempotency");
});

test("only looking makes no directory and no database", async () => {
  const place = placeOf({ HUB_DATA: join(dir, "nowhere") }, () => undefined);
  for (const [command, words] of [
    [audit, ["verify"]],
    [migrate, []],
    [migrate, ["--check"]],
  ] satisfies [Command, string[]][])
    expect(await runHere(command, place.config, words)).toMatchObject({
      code: 1,
      err: expect.stringContaining("Is HUB_DATA"),
    });
  expect(existsSync(place.config.dataDir)).toBe(false);
  mkdirSync(place.config.dataDir);
  expect((await runHere(audit, place.config, ["verify"])).code).toBe(1);
  expect(existsSync(join(place.config.dataDir, "hub.sqlite"))).toBe(false);
  expect(await runHere(migrate, place.config, ["now"])).toMatchObject({ code: 2 });
});
