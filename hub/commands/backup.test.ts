// A backup is a hub of its own: whole and of one moment however busy the hub is, durable, private, and made without touching the database.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runHub } from "../testing/command-line.ts";
import { openSite, registerOn, type Site } from "../testing/hub-process.ts";
import { mayMount, STRACE } from "../testing/machine.ts";

const WRITER = fileURLToPath(new URL("../testing/busy-writer.ts", import.meta.url));
// Each command is a process that has to start, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

let site: Site;
let out: string;
let database: string;
beforeEach(() => {
  site = openSite();
  out = join(site.dir, "out");
  mkdirSync(out);
  database = join(site.dir, "data", "hub.sqlite");
});
afterEach(() => site.close());

const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);
const hashOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");
const backup = (...words: string[]) => runHub(["backup", ...words], site.env);
/** What a plain SQLite shell would see, without a write to anything. */
function read<T>(file: string, query: string): T[] {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare(query).all() as T[];
  } finally {
    db.close();
  }
}
async function aHubThatWorked() {
  const hub = await site.start();
  for (const version of ["v1", "v2"]) await registerOn(hub, site, version);
  return hub;
}

test("a backup made while the hub works holds what was acknowledged, and is one file that only its owner reads", async () => {
  const hub = await aHubThatWorked();
  const copy = join(out, "hub.sqlite");
  expect(await backup(copy)).toMatchObject({ code: 0, out: expect.stringContaining("hub.key.pem") });
  expect(readdirSync(out)).toEqual(["hub.sqlite"]);
  expect(modeOf(copy)).toBe("600");
  expect(read(copy, "select version_id from versions")).toHaveLength(2);
  // A data directory of its own: its history is whole, and it was made without a WAL beside it.
  expect((await runHub(["audit", "verify"], { ...site.env, HUB_DATA: out })).code).toBe(0);
  expect((await hub.call("GET", "/healthz")).status).toBe(200);
});

test("a database of 40 MB that is written without a pause is copied at once, as it was at one moment", async () => {
  await (await aHubThatWorked()).kill("SIGTERM");
  const writer = spawn(process.execPath, [WRITER, database, "40"], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await new Promise((resolve) => writer.stdout.once("data", resolve));
    const copy = join(out, "copy");
    expect(await backup(copy)).toMatchObject({ code: 0 });
    const rowsNow = () => read<{ rows: number }>(database, "select rows from tally")[0]?.rows ?? 0;
    const before = rowsNow();
    expect(statSync(copy).size).toBeGreaterThan(40e6);
    const [found] = read<{ counted: number; there: number }>(
      copy,
      "select (select rows from tally) as counted, (select count(*) from ballast) as there",
    );
    expect(found?.there).toBe(found?.counted);
    expect(found?.there).toBeGreaterThan(40_000);
    expect(rowsNow(), "it was written all the time").toBeGreaterThan(before);
  } finally {
    writer.kill("SIGKILL");
  }
});

test("what a killed hub left in its WAL is in the backup, and database and WAL are not touched", async () => {
  const hub = await aHubThatWorked();
  await hub.kill("SIGKILL");
  const files = [database, `${database}-wal`];
  const before = files.map(hashOf);
  expect((await backup(join(out, "copy"))).code).toBe(0);
  expect((await runHub(["audit", "verify"], site.env)).code).toBe(0);
  expect(files.map(hashOf)).toEqual(before);
  expect(read(join(out, "copy"), "select version_id from versions")).toHaveLength(2);
});

test("a file that is there is left alone unless it may be overwritten, and the database itself always", async () => {
  await aHubThatWorked();
  const file = join(out, "copy");
  writeFileSync(file, "the photographs of a wedding");
  expect(await backup(file)).toMatchObject({ code: 1, err: expect.stringContaining("--overwrite") });
  expect(readFileSync(file, "utf8")).toContain("wedding");
  expect((await backup(file, "--overwrite")).code).toBe(0);
  expect(modeOf(file)).toBe("600");
  expect(read(file, "select version_id from versions")).toHaveLength(2);
  expect(await backup("--overwrite", database)).toMatchObject({ code: 1, err: expect.stringContaining("itself") });
  expect(await backup(join(out, "no", "where"))).toMatchObject({ code: 1, err: expect.stringContaining("directory") });
  expect(readdirSync(out)).toEqual(["copy"]);
});

test.each([
  ["an older", "delete from kysely_migration where name > '0008'", /older release than this one \(0007-series\)/],
  [
    "a newer",
    "insert into kysely_migration values ('9999-tomorrow', '2030')",
    /newer release than this one \(9999-tomorrow\)/,
  ],
])("a database of %s release is copied as it is, and not migrated", async (_, statement, words) => {
  await (await aHubThatWorked()).kill("SIGTERM");
  const db = new Database(database);
  db.exec(statement);
  db.close();
  const names = (file: string) => read(file, "select name from kysely_migration order by name");
  const before = names(database);
  expect(await backup(join(out, "copy"))).toMatchObject({ code: 0, out: expect.stringMatching(words) });
  expect(names(database)).toEqual(before);
  expect(names(join(out, "copy"))).toEqual(before);
});

test("a damaged database makes no backup that somebody would keep in place of a good one", async () => {
  await (await aHubThatWorked()).kill("SIGTERM");
  // An index that lacks a row: every page is as SQLite wrote it, and most queries would not notice.
  const partial = new Database(database);
  partial.exec("create table t (a); create index i on t (a) where a > 1; insert into t values (1), (2)");
  partial.close();
  const db = new Database(database).unsafeMode();
  db.exec("pragma writable_schema = on; update sqlite_schema set sql = 'create index i on t (a)' where name = 'i'");
  db.close();
  expect(await backup(join(out, "copy"))).toMatchObject({ code: 1, err: expect.stringContaining("damaged") });
  expect(readdirSync(out)).toEqual([]);
});

test("where there is no database none is made", async () => {
  const env = { ...site.env, HUB_DATA: join(site.dir, "nowhere") };
  for (const words of [["backup", join(out, "copy")], ["audit", "verify"], ["migrate"]])
    expect(await runHub(words, env)).toMatchObject({ code: 1, err: expect.stringContaining("Is HUB_DATA the hub's?") });
  expect(existsSync(env.HUB_DATA)).toBe(false);
});

test.skipIf(!mayMount())("a full disk: no backup, nothing left of it, and words that say so", async () => {
  await aHubThatWorked();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=100k", "none", out]);
  try {
    expect(await backup(join(out, "copy"))).toMatchObject({ code: 1, err: expect.stringContaining("is full") });
    expect(readdirSync(out)).toEqual([]);
  } finally {
    execFileSync("umount", ["-l", out]);
  }
});

describe.skipIf(STRACE === undefined)("seen from the system calls", () => {
  test("the copy is on the disk before it has its name, and the name before the command says so", async () => {
    await aHubThatWorked();
    const trace = join(mkdtempSync(join(tmpdir(), "backup-trace-")), "trace");
    const wrapper = [STRACE ?? "", "-f", "-y", "-s", "300", "-o", trace, "-e", "trace=fsync,fdatasync,link,write"];
    expect((await runHub(["backup", join(out, "copy")], site.env, { wrapper })).code).toBe(0);
    const lines = readFileSync(trace, "utf8").split("\n");
    const last = (pattern: RegExp) => lines.findLastIndex((line) => pattern.test(line));
    const named = last(/link\("[^"]*copy\.making-[^"]*", "[^"]*\/copy"/);
    const said = last(/write\(1<.*holds the database/);
    expect(named).toBeGreaterThan(-1);
    expect(said).toBeGreaterThan(named);
    expect(lines.slice(0, named).some((line) => /f(data)?sync\(\d+<[^>]*copy\.making-[0-9a-f]+>/.test(line))).toBe(
      true,
    );
    expect(lines.slice(named, said).some((line) => line.includes(`sync(`) && line.includes(`<${out}>`))).toBe(true);
    rmSync(join(trace, ".."), { recursive: true });
  });
});
