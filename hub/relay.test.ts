// Word between replicas and the lock of the conductor on a real PostgreSQL: broken connections lose nothing, and never do two lead.
import pg from "pg";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Leader } from "./leader.ts";
import { sharePresence } from "./shared-presence.ts";
import { postgresLeader } from "./store/postgres-leader.ts";
import { startPostgres } from "./testing/postgres.ts";
import { openTestHub, until } from "./testing/test-hub.ts";
import { trackPresence } from "./presence.ts";
import { readWord, wordOf, wordsOfSeen } from "./word.ts";

const postgres = await startPostgres();
afterAll(() => postgres?.close());

describe("words", () => {
  test("come back as they were told, and what is too large for one says: look at everything", () => {
    const touched = { devices: new Set(["edge-001"]), groups: new Set(["pilot"]) };
    expect(readWord(wordOf("me", touched, { through: 7, orders: true }))).toMatchObject({
      from: "me",
      through: 7,
      orders: true,
      devices: ["edge-001"],
      everything: false,
    });
    const many = new Set(Array.from({ length: 2_000 }, (_, index) => `edge-${index}`));
    const large = wordOf("me", { devices: many }, { through: 8 });
    expect(Buffer.byteLength(large)).toBeLessThan(7_500);
    expect(readWord(large)).toMatchObject({ through: 8, everything: true, devices: [] });
    expect(readWord("{")).toBeNull();
  });
  test("of who was seen are as many as it takes, each small enough", () => {
    const ids = Array.from({ length: 5_000 }, (_, index) => `device-ä-${index}`);
    const words = wordsOfSeen("me", ids);
    expect(Math.max(...words.map((word) => Buffer.byteLength(word)))).toBeLessThan(8_000);
    expect(words.flatMap((word) => readWord(word)?.seen ?? [])).toEqual(ids);
    expect(wordsOfSeen("me", [])).toEqual([]);
  });
});

test("a device that was heard of elsewhere is online here until that is too long ago, and is not passed on again", () => {
  let nowMs = 1_000_000;
  const now = () => nowMs;
  const store = { devices: { touch: () => Promise.resolve() } } as never;
  const own = trackPresence(new Map([["edge-1", null]]), { offlineAfterMs: 100, now, store });
  const shared = sharePresence(own, { offlineAfterMs: 100, now });
  expect([shared.isOnline("edge-1"), shared.countOnline(["edge-1"])]).toEqual([false, 0]);
  shared.heardElsewhere(["edge-1"]);
  expect([shared.isOnline("edge-1"), shared.changed(), shared.takeSeen()]).toEqual([true, ["edge-1"], []]);
  expect(shared.countOnline(["edge-1", "edge-2"])).toBe(1);
  nowMs += 60;
  const release = shared.hold("edge-1");
  expect([shared.changed(), shared.takeSeen(), shared.takeSeen()]).toEqual([[], ["edge-1"], ["edge-1"]]);
  release();
  nowMs += 99;
  expect([shared.isOnline("edge-1"), shared.takeSeen(), shared.takeSeen()]).toEqual([true, ["edge-1"], []]);
  nowMs += 1;
  expect([shared.isOnline("edge-1"), shared.changed(), shared.changed()]).toEqual([false, ["edge-1"], []]);
});

describe.skipIf(postgres === null)("on PostgreSQL", () => {
  let url: string;
  let sql: pg.Client;
  beforeEach(async () => {
    url = (await postgres?.database()) ?? "";
    sql = new pg.Client(url);
    await sql.connect();
  });
  afterEach(() => sql.end());
  const cut = (what: string) =>
    sql.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like $1",
      [`context-edge ${what}%`],
    );

  test("what was changed while nobody could hear is followed as soon as the connection is back", async () => {
    const a = await openTestHub({ DATABASE_URL: url });
    const keyFile = { HUB_SIGNING_KEY_FILE: a.hub.config.signingKeyFile };
    const b = await openTestHub({ DATABASE_URL: url, ...keyFile });
    const heard: string[] = [];
    b.hub.changes.listen((notice) => {
      if (notice.kind === "event") heard.push(`${notice.event.id}`);
    });
    const device = await a.enroll("edge-001", "pilot");
    await a.register("v1");
    await until(async () => b.hub.publisher.current("pilot") !== undefined);
    const etag = b.hub.publisher.current("pilot")?.etag;
    const waiting = b.app.inject({
      method: "GET",
      url: "/device/v1/manifest",
      headers: { ...device.headers, "if-none-match": etag ?? "", prefer: "wait=50" },
    });
    await cut("words");
    await a.call("PUT", "/api/v1/groups/pilot/target", { version: "v1" });
    const answer = await waiting;
    expect([answer.statusCode, answer.headers["etag"]]).toEqual([200, a.hub.publisher.current("pilot")?.etag]);
    // What a caller saw on b is what stands there: the target of a is no surprise.
    await a.register("v2");
    await until(async () => (await b.call("PUT", "/api/v1/groups/pilot/target", { version: "v2" })).status === 200);
    const last = await a.hub.store.events.lastId();
    await until(async () => heard.at(-1) === String(last));
    expect(heard).toEqual(Array.from({ length: last }, (_, index) => String(index + 1)));
    await a.close();
    await b.close();
  });

  test("two that find a manifest too old at the same moment, by clocks that differ, give out one and the same new one", async () => {
    let passedMs = 0;
    const a = await openTestHub({ DATABASE_URL: url }, () => Date.now() + passedMs);
    const sameKey = { HUB_SIGNING_KEY_FILE: a.hub.config.signingKeyFile };
    const b = await openTestHub({ DATABASE_URL: url, ...sameKey }, () => Date.now() + passedMs + 7);
    await a.call("POST", "/api/v1/groups", { name: "pilot" });
    await until(async () => b.hub.publisher.current("pilot") !== undefined);
    const before = a.hub.publisher.current("pilot")?.etag;
    passedMs = 100 * 3_600_000;
    await Promise.all([a.hub.publisher.refresh(), b.hub.publisher.refresh()]);
    const after = [a, b].map(({ hub }) => hub.publisher.current("pilot"));
    expect(after[0]?.etag).not.toBe(before);
    expect(after[1]?.body.equals(after[0]?.body ?? Buffer.alloc(0))).toBe(true);
    await a.close();
    await b.close();
  });

  test("a report taken by one shows on the other", async () => {
    const a = await openTestHub({ DATABASE_URL: url });
    const b = await openTestHub({ DATABASE_URL: url, HUB_SIGNING_KEY_FILE: a.hub.config.signingKeyFile });
    const device = await a.enroll("edge-001", "pilot");
    await a.register("v1");
    const touched = new Set<string>();
    b.hub.changes.listen((notice) => {
      if (notice.kind === "touched") for (const id of notice.touched.devices) touched.add(id);
    });
    await until(async () => b.hub.publisher.current("pilot") !== undefined);
    await device.report("v1");
    await until(async () => touched.has("edge-001"));
    const { body } = await b.call("GET", "/api/v1/devices/edge-001");
    expect(body).toMatchObject({ models: { default: { current: { version: "v1" } } } });
    await a.close();
    await b.close();
  });

  test("one leads at a time; when its connection breaks it stops at once, and another leads within seconds", async () => {
    const leaders = await Promise.all([postgresLeader(url), postgresLeader(url), postgresLeader(url)]);
    const leading = () => leaders.filter((one) => one.isLeader());
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, leading().length)), 5);
    await until(async () => leading().length === 1);
    const [first] = leading() as [Leader];
    expect(first.term()).toBe(1);
    await first.close();
    expect(first.isLeader()).toBe(false);
    const second = await until(async () => leading()[0]);
    await cut("conductor");
    await until(async () => !second.isLeader() || leading()[0] !== second);
    const third = await until(async () => leading()[0], 10_000);
    // Whoever got it back has a new term: somebody else may have led in between.
    expect(third.term()).toBe(third === second ? 2 : 1);
    clearInterval(watch);
    // The watch may have looked only between two leaders: that one led is known from above.
    expect(most).toBeLessThanOrEqual(1);
    await Promise.all(leaders.map((one) => one.close()));
  });

  test("a leader that is frozen has stopped leading by its own clock before the server gives its lock away", async () => {
    let skewMs = 0;
    const frozen = await postgresLeader(url, () => performance.now() + skewMs);
    await until(async () => frozen.isLeader());
    // As if the process had been stopped for as long as the lease lasts.
    skewMs = 4_000;
    expect(frozen.isLeader()).toBe(false);
    const { rows } = await sql.query<{ setting: string }>(
      "select granted from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
    );
    expect(rows).toHaveLength(1);
    await frozen.close();
  });
});
