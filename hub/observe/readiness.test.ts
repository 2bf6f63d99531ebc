// Whether the hub says the truth about being ready: with a real directory, a real file, and a disk that is full.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MARKER } from "../artifacts/place.ts";
import { openTestHub, type TestHub, until } from "../testing/test-hub.ts";
import { readiness } from "./readiness.ts";
import { watchWrites } from "./writes.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.close());

test("is ready when everything it needs answers, each named", async () => {
  const { status, body } = await hub.call("GET", "/readyz");
  expect(status).toBe(200);
  expect(body).toEqual({
    status: "ready",
    checks: Object.fromEntries(
      ["database", "signing_key", "artifacts", "shutdown"].map((name) => [name, { ok: true, detail: null }]),
    ),
  });
});

describe("is not ready", () => {
  const artifacts = () => join(hub.dir, "data", "artifacts");
  const checked = async (what: string) => {
    const answer = await hub.app.inject("/readyz");
    const body = answer.json<{ checks?: Record<string, unknown>; context?: { checks: Record<string, unknown> } }>();
    return { status: answer.statusCode, check: (body.checks ?? body.context?.checks)?.[what] };
  };
  const no = (detail: RegExp) => ({ status: 503, check: { ok: false, detail: expect.stringMatching(detail) } });

  test("when the disk of the artifacts is not there, and no file is called missing or taken for it meanwhile", async () => {
    const { digest } = await hub.register("v1");
    const device = await hub.enroll("edge-001");
    await hub.call("PUT", "/api/v1/groups/default/target", { version: "v1" });
    renameSync(artifacts(), join(hub.dir, "unmounted"));
    // The bare mount point of a disk that is not there.
    mkdirSync(artifacts());
    expect(await checked("artifacts")).toEqual(no(/context-edge-artifacts is missing/));
    const fetched = await hub.app.inject({ url: `/device/v1/artifacts/${digest}`, headers: device.headers });
    const put = await hub.app.inject({
      method: "PUT",
      url: `/mlops/artifacts/${digest}`,
      headers: { "content-type": "application/octet-stream" },
      payload: "model v1",
    });
    for (const answer of [fetched, put])
      expect([answer.statusCode, answer.json()]).toMatchObject([503, { code: "ARTIFACT_UNAVAILABLE" }]);
    await hub.listen();
    await hub.restart();
    expect(await checked("artifacts"), "not even a restart makes it anew").toEqual(no(/is missing/));
    expect(readdirSync(artifacts())).toEqual([]);
    rmSync(artifacts(), { recursive: true });
    renameSync(join(hub.dir, "unmounted"), artifacts());
    await until(async () => (await checked("artifacts")).status === 200);
  });
  test("when the artifacts' directory is another hub's, or cannot be written", async () => {
    const marker = join(artifacts(), MARKER);
    const own = readFileSync(marker, "utf8");
    writeFileSync(marker, "another");
    expect((await readiness(hub.hub)()).artifacts).toMatchObject({
      ok: false,
      detail: expect.stringMatching(/another hub/),
    });
    writeFileSync(marker, own);
    mkdirSync(join(artifacts(), "written-last"));
    expect((await readiness(hub.hub)()).artifacts).toMatchObject({ ok: false, detail: expect.any(String) });
  });
  test("when the database's file was moved away, or another lies in its place", async () => {
    const file = join(hub.dir, "data", "hub.sqlite");
    renameSync(file, `${file}.moved`);
    expect(await checked("database")).toEqual(no(/is gone/));
    copyFileSync(`${file}.moved`, file);
    expect((await readiness(hub.hub)()).database.detail).toMatch(/is another file now/);
    renameSync(`${file}.moved`, file);
    await until(async () => (await checked("database")).status === 200);
  });
  test("at once when a write fails elsewhere, whatever was seen a moment ago, and it is in the log", async () => {
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    let now = 0;
    const writes = watchWrites(log, () => performance.now() + now);
    const full = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
    let isFull = false;
    const transaction: typeof hub.hub.store.transaction = (work) =>
      isFull ? Promise.reject(full) : hub.hub.store.transaction(work);
    const store = writes.over({ ...hub.hub.store, transaction });
    const look = readiness({ ...hub.hub, store, writes, log });
    expect((await look()).database.ok).toBe(true);
    isFull = true;
    for (let count = 0; count < 50; count += 1)
      await expect(store.transaction(async () => undefined)).rejects.toThrow("full");
    expect((await look()).database).toEqual({ ok: false, detail: "its disk is full" });
    isFull = false;
    now = 10_000;
    await store.transaction(async () => undefined);
    const said = lines.map((line) => JSON.parse(line) as { level: number; msg: string });
    expect(said.map(({ level, msg }) => [level, msg])).toEqual([
      [50, "the database cannot be written: its disk is full"],
      [50, "the hub is not ready: database: its disk is full"],
      [30, "the database is written again"],
    ]);
  });
  test("when it is about to stop", async () => {
    hub.hub.ending.begin();
    expect((await hub.app.inject("/readyz")).json()).toMatchObject({
      status: 503,
      code: "NOT_READY",
      context: { checks: { database: { ok: true }, shutdown: { ok: false } } },
    });
  });
});

test("asking whether it is ready writes no more than once in three seconds", async () => {
  let writes = 0;
  const store = { ...hub.hub.store, transaction: (async () => void (writes += 1)) as typeof hub.hub.store.transaction };
  const look = readiness({ ...hub.hub, store });
  for (let count = 0; count < 20; count += 1) await look();
  expect(writes).toBe(1);
});
