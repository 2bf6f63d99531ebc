// A backup put in place of a killed hub's database: neither mixed with what that left behind nor without a way back, and never under a running hub.
import {
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { Kysely, sql, SqliteDialect } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { lockData } from "../store/data-lock.ts";
import { openStore } from "../store/open.ts";
import { runHere, runHub } from "../testing/command-line.ts";
import { type HubProcess, registerOn } from "../testing/hub-process.ts";
import { asideIn, configOf, killAHub, type KilledHub, type Remains, versionsIn } from "../testing/killed-hub.ts";
import { migrateOnlyTo } from "../testing/old-database.ts";
import { audit } from "./audit.ts";
import { restore } from "./restore.ts";
import { user } from "./user.ts";

let killed: KilledHub;
let left: Remains;
let data: string;
let copy: string;
beforeAll(async () => {
  killed = await killAHub();
});
afterAll(() => killed.close());
beforeEach(() => {
  left = killed.remains();
  data = left.data;
  copy = left.backup;
});
afterEach(() => left.forget());

const run = (...words: string[]) => runHere(restore, configOf({ HUB_DATA: data }), words);
const startOn = (dataDir: string): Promise<HubProcess> => killed.site.start({ HUB_DATA: dataDir });
const versionsOf = async (hub: HubProcess) => {
  const { body } = await hub.call("GET", "/api/v1/models/default/versions");
  return (body["items"] as { version_id: string }[]).map(({ version_id }) => version_id).sort();
};
function tamper(file: string, statements: string): void {
  const db = new Database(file).unsafeMode();
  db.exec(statements);
  db.close();
}
const everything = () =>
  readdirSync(data)
    .filter((name) => name.startsWith("hub.sqlite"))
    .map((name) => [name, readFileSync(join(data, name)).toString("base64")]);

test("a backup restored over a hub that was killed with a full WAL is what the next hub has, and the other database is kept whole", async () => {
  expect(statSync(join(data, "hub.sqlite-wal")).size).toBeGreaterThan(1e6);
  const said = await runHub(["restore", copy], { HUB_DATA: data });
  expect(said).toMatchObject({ code: 0, err: "" });
  for (const word of [
    "history is whole: 1 events",
    "artifacts is there",
    "hub.key.pem is there",
    "Devices decommissioned",
  ])
    expect(said.out).toContain(word);
  expect(statSync(join(data, "hub.sqlite")).mode & 0o777).toBe(0o600);

  const hub = await startOn(data);
  expect(await versionsOf(hub)).toEqual(["v1"]);
  await registerOn(hub, killed.site, "v3");
  await hub.kill("SIGTERM");
  expect((await runHere(audit, configOf({ HUB_DATA: data }), ["verify"])).out).toContain("whole: 2 events");
  const db = new Database(join(data, "hub.sqlite"));
  expect(db.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
  db.close();

  // And back again: what was moved aside is a database, with what was in its WAL.
  expect((await run(join(data, asideIn(data)))).code).toBe(0);
  const back = await startOn(data);
  expect(await versionsOf(back)).toEqual(["v1", "v2"]);
  await back.kill();
}, 60_000);

test("nothing is restored under a running hub nor beside a command, and no second hub starts on the directory", async () => {
  const hub = await startOn(data);
  const before = readdirSync(data).sort();
  expect(await run(copy)).toMatchObject({ code: 1, err: expect.stringMatching(/^A hub works on .* Stop it first/) });
  await expect(startOn(data)).rejects.toThrow(/A hub works on .* already/);
  expect(readdirSync(data).sort()).toEqual(before);
  expect(await versionsOf(hub)).toEqual(["v1", "v2"]);
  await hub.kill("SIGKILL");

  const command = await lockData(data, "command");
  expect(await run(copy)).toMatchObject({ code: 1, err: expect.stringContaining("Another command works on") });
  command?.release();
  const restoring = await lockData(data, "alone");
  expect(await runHere(user, configOf({ HUB_DATA: data }), ["list"])).toMatchObject({
    code: 1,
    err: expect.stringContaining("is being replaced"),
  });
  await expect(versionsIn(data)).rejects.toThrow("is being replaced");
  restoring?.release();
  expect((await run(copy)).code, "the lock of the killed hub went with it").toBe(0);
}, 60_000);

const REFUSED: [string, (file: string) => void, RegExp, string[]?][] = [
  ["a file that is not there", () => undefined, /There is no file/],
  ["no database", (file) => writeFileSync(file, "no database at all".repeat(1_000)), /no whole SQLite database/],
  ["an empty file", (file) => writeFileSync(file, ""), /not the database of a hub/],
  ["half a database", (file) => (copyFileSync(copy, file), truncateSync(file, 65_536)), /no whole SQLite|is damaged/],
  [
    "a database with an index that does not fit its table",
    (file) => {
      copyFileSync(copy, file);
      tamper(file, "create table t (a); create index i on t (a) where a > 1; insert into t values (1), (2)");
      tamper(
        file,
        `pragma writable_schema = on; update sqlite_schema set sql = 'create index i on t (a)' where name = 'i'`,
      );
    },
    /is damaged: .*index i/,
  ],
  [
    "a history that was cut",
    (file) => (copyFileSync(copy, file), tamper(file, "delete from events where id = 1")),
    /history is not whole: event 1: the newest events are missing.* Nothing was changed/,
  ],
  [
    "the database of a newer release",
    (file) => (copyFileSync(copy, file), tamper(file, "insert into kysely_migration values ('9999-tomorrow', '2030')")),
    /newer release.*9999-tomorrow/,
  ],
  [
    "a history without the head that was written down",
    (file) => copyFileSync(copy, file),
    /no event has the hash/,
    ["--head", "a".repeat(64)],
  ],
];
test.each(REFUSED)("%s is refused, and everything is as it was", async (_, make, words, more = []) => {
  const file = join(left.dir, "given");
  make(file);
  const before = everything();
  expect(await run(file, ...more)).toMatchObject({ code: 1, err: expect.stringMatching(words) });
  expect(everything()).toEqual(before);
});

test("the database itself is no backup, a hub on PostgreSQL has other ones, and a word too many is wrong use", async () => {
  expect(await run(join(data, "hub.sqlite"))).toMatchObject({ code: 1, err: expect.stringContaining("itself") });
  const elsewhere = configOf({ HUB_DATA: data, DATABASE_URL: "postgres://127.0.0.1:1/nothing" });
  expect(await runHere(restore, elsewhere, [copy])).toMatchObject({
    code: 1,
    err: expect.stringContaining("pg_restore"),
  });
  for (const words of [[], [copy, "x"], [copy, "--head"], [copy, "--force"]])
    expect(await run(...words)).toMatchObject({ code: 2, err: expect.stringContaining("restore FILE") });
});

test("a history that is not whole is restored when somebody says so, and told", async () => {
  tamper(copy, "delete from events");
  const said = await run(copy, "--with-broken-history");
  expect(said).toMatchObject({ code: 0, out: expect.stringContaining("history is not whole") });
});

test("on a new machine the directory is made, and an older release's backup is brought up to date when the hub starts", async () => {
  const old = join(left.dir, "old.sqlite");
  const db = new Kysely<never>({ dialect: new SqliteDialect({ database: new Database(old) }) });
  await migrateOnlyTo(db, "0007-series");
  await sql`insert into groups (name, created_at, manifest_sequence) values ('of-old', '2026', 1)`.execute(db);
  await db.destroy();
  const elsewhere = join(left.dir, "new", "data");
  const said = await runHere(restore, configOf({ HUB_DATA: elsewhere }), [old]);
  expect(said.out).toContain("of an older release: the hub migrates it when it starts");
  expect(said.out).toMatch(/There was no database before[^]*artifacts is NOT there[^]*hub\.key\.pem is NOT there/);
  const store = await openStore({ databaseUrl: undefined, dataDir: elsewhere });
  expect((await store.groups.list()).map(({ name }) => name)).toEqual(["of-old"]);
  await store.close();
});

test.skipIf(process.getuid?.() !== 0)("what root restores belongs to whom the directory belongs to", async () => {
  const another = join(left.dir, "of-another");
  mkdirSync(another);
  chownSync(another, 12_345, 12_345);
  expect((await runHere(restore, configOf({ HUB_DATA: another }), [copy])).code).toBe(0);
  for (const name of ["hub.sqlite", "hub.lock"]) expect(statSync(join(another, name)).uid).toBe(12_345);
});
