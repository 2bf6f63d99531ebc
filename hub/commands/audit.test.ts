// What was done to the history is found out, on both databases; and what nothing inside a database can tell, a head that was written down does.
import Database from "better-sqlite3";
import pg from "pg";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { chainHash, GENESIS } from "../store/audit-chain.ts";
import { type Ended, runHere } from "../testing/command-line.ts";
import { startPostgres } from "../testing/postgres.ts";
import { openTestHub, type TestHub } from "../testing/test-hub.ts";
import { audit } from "./audit.ts";

const postgres = await startPostgres();
afterAll(() => postgres?.close());

interface Row {
  id: number;
  hash: string;
  previous_hash: string;
}
/** Somebody who can write the database, past the hub. */
interface Intruder {
  run(statement: string, values?: readonly (string | number)[]): Promise<Row[]>;
  close(): Promise<void>;
}

const ENGINES: [string, () => Promise<Record<string, string>>, (hub: TestHub) => Promise<Intruder>][] = [
  ["SQLite", async () => ({}), intrudeSqlite],
];
if (postgres) ENGINES.push(["PostgreSQL", async () => ({ DATABASE_URL: await postgres.database() }), intrudePostgres]);

async function intrudeSqlite(hub: TestHub): Promise<Intruder> {
  const db = new Database(join(hub.dir, "data", "hub.sqlite"));
  return {
    async run(statement, values = []) {
      const prepared = db.prepare(statement.replaceAll(/\$\d/g, "?"));
      return prepared.reader ? (prepared.all(...values) as Row[]) : (prepared.run(...values), []);
    },
    close: async () => void db.close(),
  };
}

async function intrudePostgres(hub: TestHub): Promise<Intruder> {
  const client = new pg.Client({ connectionString: hub.hub.config.databaseUrl });
  await client.connect();
  return {
    run: async (statement, values = []) => (await client.query<Row>(statement, [...values])).rows,
    close: () => client.end(),
  };
}

const NEWEST = "SELECT id, hash, previous_hash FROM events ORDER BY id DESC LIMIT 1";
const words = {
  at: "2026-01-01T00:00:00.000Z",
  kind: "k",
  actor: "a",
  subject: "s",
  summary: "never happened",
  data: "{}",
};

async function insert(
  intruder: Intruder,
  id: number,
  previous: string,
  hash = chainHash(previous, words),
): Promise<string> {
  const { at, kind, actor, subject, summary, data } = words;
  await intruder.run(
    "INSERT INTO events (id, at, kind, actor, subject, summary, data, previous_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    [id, at, kind, actor, subject, summary, data, previous, hash],
  );
  return hash;
}
async function newestOf(intruder: Intruder): Promise<Row> {
  const [row] = await intruder.run(NEWEST);
  if (!row) throw new Error("there is no event");
  return row;
}

const plain =
  (...statements: string[]) =>
  async (intruder: Intruder) => {
    for (const statement of statements) await intruder.run(statement);
  };

const TAMPERED: [string, (intruder: Intruder) => Promise<void>, RegExp][] = [
  ["the first row removed", plain("DELETE FROM events WHERE id = 1"), /event 2: an event before it was removed/],
  [
    "a row removed from the middle",
    plain("DELETE FROM events WHERE id = 2"),
    /event 3: an event before it was removed/,
  ],
  [
    "the newest row removed",
    plain("DELETE FROM events WHERE id = (SELECT max(id) FROM events)"),
    /the newest events are missing, up to event 5/,
  ],
  [
    "the newest row replaced",
    async (intruder) => {
      const { id, previous_hash } = await newestOf(intruder);
      await intruder.run("DELETE FROM events WHERE id = $1", [id]);
      await insert(intruder, id, previous_hash);
    },
    /event 5: it is not the event that the hub remembers/,
  ],
  [
    "a row added at the end, its hash as it should be",
    async (intruder) => {
      const { id, hash } = await newestOf(intruder);
      await insert(intruder, id + 1, hash);
    },
    /event 6: it stands after event 5, the newest that the hub remembers/,
  ],
  [
    "a row of rubbish added at the end",
    async (intruder) => void (await insert(intruder, 1_000_000, "rubbish", "rubbish")),
    /event 1000000: it stands after event 5/,
  ],
  [
    "a row put before the first",
    async (intruder) => void (await insert(intruder, -7, GENESIS)),
    /event (-7|1): (it says that it is the first|an event before it was)/,
  ],
  [
    "a summary changed",
    plain("UPDATE events SET summary = 'nothing happened' WHERE id = 2"),
    /event 2: its own content/,
  ],
  ["an actor changed", plain("UPDATE events SET actor = 'somebody else' WHERE id = 1"), /event 1: its own content/],
  [
    "a row changed and its hash made anew by somebody without the rest of the chain",
    plain("UPDATE events SET summary = 'x', hash = '00' WHERE id = 2"),
    /event 2: its own content/,
  ],
  ["every event deleted", plain("DELETE FROM events"), /event 1: the newest events are missing, up to event 5/],
  ["the head alone deleted", plain("DELETE FROM audit_head"), /what the hub remembers as its newest event is gone/],
  [
    "every event deleted, and the head with them,",
    plain("DELETE FROM events", "DELETE FROM audit_head"),
    /there is not one event, but the hub has worked \(versions: 3/,
  ],
];

describe.each(ENGINES)("on %s", (engine, settings, intrude) => {
  let hub: TestHub;
  let intruder: Intruder;
  beforeEach(async () => {
    hub = await openTestHub(await settings());
    for (const version of ["v1", "v2", "v3"]) await hub.register(version);
    await hub.call("POST", "/mlops/models/v1/approve", {});
    await hub.call("POST", "/mlops/models/v2/reject", { reason: "not better" });
    intruder = await intrude(hub);
  });
  afterEach(async () => {
    await intruder.close();
    await hub.close();
  });
  const run = (...said: string[]): Promise<Ended> => runHere(audit, hub.hub.config, said);

  test("a history nobody touched is whole, and its export has every event with its hash", async () => {
    expect(await run("verify")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/whole: 5 events\. Head [0-9a-f]{64}/),
    });
    const lines = (await run("export")).out.split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["version.approved", "version.rejected"]));
    expect(lines.slice(1).every((line, index) => line["previous_hash"] === lines[index]?.["hash"])).toBe(true);
  });

  test.each(TAMPERED)("fault 76: %s is found out", async (_, tamper, found) => {
    await tamper(intruder);
    expect(await run("verify")).toMatchObject({ code: 1, out: "", err: expect.stringMatching(found) });
  });

  test("fault 76: a history that was wiped and went on is found out by its numbers where they have no gaps, and by a head anywhere", async () => {
    const written = (await run("head")).out;
    await plain("DELETE FROM events", "DELETE FROM audit_head")(intruder);
    await hub.register("v4");
    if (engine === "SQLite")
      expect(await run("verify")).toMatchObject({ code: 1, err: expect.stringContaining("others had been before it") });
    expect(await run("verify", "--head", written)).toMatchObject({ code: 1 });
  });

  test("fault 76: a head that was written down proves what came before it, and finds a chain that was cut or made anew", async () => {
    const written = (await run("head")).out;
    expect(written).toMatch(/^[0-9a-f]{64}$/);
    await hub.register("v4");
    expect(await run("verify", "--head", written)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/whole: 6 events.*\nEverything up to event 5 is what it was/),
    });

    // Cut back, and the head with it: no rule of the chain is broken.
    await intruder.run("DELETE FROM events WHERE id >= 5");
    const { id, hash } = await newestOf(intruder);
    await intruder.run("UPDATE audit_head SET id = $1, hash = $2", [id, hash]);
    expect((await run("verify")).code).toBe(0);
    expect(await run("verify", "--head", written)).toMatchObject({
      code: 1,
      err: expect.stringContaining(`no event has the hash ${written}`),
    });

    // As many events as before, all of them other ones.
    await intruder.run("DELETE FROM events");
    let previous = GENESIS;
    for (let number = 1; number <= 5; number += 1) previous = await insert(intruder, number, previous);
    await intruder.run("UPDATE audit_head SET id = 5, hash = $1", [previous]);
    expect((await run("verify")).code).toBe(0);
    expect((await run("verify", "--head", written)).code).toBe(1);
    expect((await run("verify", "--head", previous)).code).toBe(0);
  });
});

test("a hub that has done nothing yet has an empty history, which no head can be in", async () => {
  const hub = await openTestHub();
  const run = (...said: string[]) => runHere(audit, hub.hub.config, said);
  expect(await run("verify")).toMatchObject({ code: 0, out: expect.stringContaining("nothing in the database says") });
  expect(await run("head")).toMatchObject({ code: 1, out: "" });
  expect(await run("verify", "--head", "0".repeat(64))).toMatchObject({ code: 1 });
  await hub.close();
});

test.each([
  [[]],
  [["forget"]],
  [["verify", "--head"]],
  [["verify", "--head", "abc"]],
  [["export", "--head", "0".repeat(64)]],
])("audit %j is wrong use and says what is right", async (said) => {
  const hub = await openTestHub();
  expect(await runHere(audit, hub.hub.config, said)).toMatchObject({
    code: 2,
    err: expect.stringContaining("audit verify"),
  });
  await hub.close();
});
