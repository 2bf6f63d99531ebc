// What may happen to a database, on both of them: killed, locked, gone, full, half migrated. Nothing acknowledged is lost and polls go on.
import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import type { Migration } from "kysely/migration";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSite, registerOn } from "../testing/hub-process.ts";
import { mayMount } from "../testing/machine.ts";
import { startPostgres } from "../testing/postgres.ts";
import { openTestHub, type TestHub, until } from "../testing/test-hub.ts";
import { enrolOn } from "../testing/wire-device.ts";
import { MIGRATIONS } from "./migrations/index.ts";
import { openPostgres } from "./postgres.ts";
import { openSqlite } from "./sqlite.ts";
import type { Store } from "./store.ts";

const DYING = fileURLToPath(new URL("../testing/migrate-and-die.ts", import.meta.url));
const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const postgres = await startPostgres();
afterAll(() => postgres?.close());
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "store-faults-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Engine {
  /** For DATABASE_URL; none for SQLite. */
  url?: string;
  open(migrations?: Record<string, Migration>): Promise<Store>;
}
const ENGINES: [string, () => Promise<Engine>][] = [
  ["SQLite", async () => ({ open: (migrations) => openSqlite(join(dir, "data", "hub.sqlite"), migrations) })],
];
if (postgres) {
  ENGINES.push([
    "PostgreSQL",
    async () => {
      const url = await postgres.database();
      return { url, open: (migrations) => openPostgres(url, migrations) };
    },
  ]);
}
const settingsOf = ({ url }: Engine) => (url === undefined ? {} : { DATABASE_URL: url });

describe.each(ENGINES)("on %s", (_name, makeEngine) => {
  test("fault 57: what was answered is there after the hub is killed right after the answer", async () => {
    const engine = await makeEngine();
    const site = openSite({ ...settingsOf(engine), HUB_DATA: join(dir, "data") });
    try {
      const hub = await site.start();
      for (const version of ["v1", "v2", "v3"]) await registerOn(hub, site, version);
      const { status } = await hub.call("POST", "/mlops/models/v2/reject", { reason: "killed right after this" });
      await hub.kill("SIGKILL");
      expect(status).toBe(200);
      const store = await engine.open();
      expect(await store.versions.find("default", "v2")).toMatchObject({ stage: "rejected" });
      expect((await store.events.newest(1))[0]).toMatchObject({ kind: "version.rejected" });
      await store.close();
    } finally {
      await site.close();
    }
  });

  test("fault 75: a migration killed in the middle leaves the old schema, and the next start goes on", async () => {
    const engine = await makeEngine();
    await (await engine.open()).close();
    const before = await engine.open();
    await before.groups.ensure("pilot", "2026-01-01T00:00:00.000Z");
    await before.close();
    const child = spawn(process.execPath, [DYING, engine.url ?? join(dir, "data", "hub.sqlite")]);
    const signal = await new Promise((resolve) => child.once("close", (_code, by) => resolve(by)));
    expect(signal).toBe("SIGKILL");
    const same = await engine.open();
    expect(await same.groups.list()).toHaveLength(1);
    await same.close();
    // The release whose migration was killed: it begins that one anew, and would fail if its table were there.
    const whole: Migration = { up: (db) => db.schema.createTable("half").addColumn("id", "text").execute() };
    const after = await engine.open({ ...MIGRATIONS, "9999-halfway": whole });
    expect(await after.groups.list()).toHaveLength(1);
    await after.close();
    await expect(engine.open()).rejects.toThrow(/newer release.*9999-halfway/);
  });
});

describe("a database that does not let itself be written", () => {
  const poll = (hub: TestHub, headers: Record<string, string>) =>
    hub.app.inject({ method: "GET", url: "/device/v1/manifest", headers });
  const write = (hub: TestHub, name: string) =>
    hub.app.inject({ method: "POST", url: "/api/v1/groups", payload: { name } });
  const expectOutage = (answer: Awaited<ReturnType<typeof write>>) => {
    expect([answer.statusCode, answer.json()]).toMatchObject([503, { code: "STORE_UNAVAILABLE" }]);
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
  };

  test("fault 58: SQLite locked by another process: writes are refused for now, polls are answered meanwhile", async () => {
    const hub = await openTestHub();
    const device = await hub.enroll("edge-001", "pilot");
    await poll(hub, device.headers);
    const other = new Database(join(hub.dir, "data", "hub.sqlite"));
    other.exec("begin immediate");
    const waiting = write(hub, "g1");
    let answered = 0;
    const over = waiting.then(() => true);
    await until(async () => {
      expect((await poll(hub, device.headers)).statusCode).toBe(200);
      answered += 1;
      return Promise.race([over, Promise.resolve(false)]);
    }, 10_000);
    expectOutage(await waiting);
    // Had SQLite itself waited, the loop would have stood still.
    expect(answered).toBeGreaterThan(20);

    const patient = write(hub, "g2");
    setTimeout(() => other.exec("rollback"), 500);
    expect((await patient).statusCode).toBe(201);
    expect((await hub.hub.store.groups.list()).map(({ name }) => name)).not.toContain("g1");
    other.close();
    await hub.close();
  });

  test.skipIf(postgres === null)(
    "fault 58: PostgreSQL stopped: writes are refused for now, polls are answered, and it goes on when the server is back",
    async () => {
      const hub = await openTestHub({ DATABASE_URL: (await postgres?.database()) ?? "" });
      const device = await hub.enroll("edge-001", "pilot");
      await poll(hub, device.headers);
      await postgres?.down();
      expectOutage(await write(hub, "g1"));
      expect((await hub.app.inject({ method: "GET", url: "/readyz" })).json()).toMatchObject({
        status: 503,
        code: "NOT_READY",
        context: { checks: { database: { ok: false } } },
      });
      expect((await poll(hub, device.headers)).statusCode).toBe(200);
      await postgres?.up();
      await until(async () => (await write(hub, "g2")).statusCode === 201, 10_000);
      expect((await hub.hub.store.groups.list()).map(({ name }) => name)).not.toContain("g1");
      await until(async () => (await hub.app.inject({ method: "GET", url: "/readyz" })).statusCode === 200);
      await hub.close();
    },
    30_000,
  );
});

describe.skipIf(!mayMount())("on a disk of three megabytes", () => {
  test("fault 59: a full disk: polls are answered, writes and uploads refused clearly, nothing is left half-written", async () => {
    const disk = join(dir, "disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "none", disk]);
    const site = openSite({ HUB_DATA: disk });
    try {
      const hub = await site.start();
      const device = await enrolOn(hub, "edge-001", "pilot");
      const filler = join(disk, "filler");
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(filler, Buffer.alloc(bavail * bsize));
      const made: string[] = [];
      // Until the space that the database has already claimed is used up.
      const refused = await until(async () => {
        const name = `g${made.length}`;
        const answer = await hub.call("POST", "/api/v1/groups", { name });
        if (answer.status === 201) made.push(name);
        return answer.status !== 201 && answer;
      }, 20_000);
      expect([refused.status, refused.body]).toMatchObject([503, { code: "STORE_UNAVAILABLE", detail: /full/ }]);
      expect((await hub.call("GET", "/readyz")).body).toMatchObject({
        context: { checks: { database: { ok: false } } },
      });
      expect((await device.poll(hub)).status).toBe(200);
      const upload = await hub.call("PUT", `/mlops/artifacts/${"0".repeat(64)}`, Buffer.alloc(100_000));
      expect([upload.status, upload.body]).toMatchObject([503, { code: "STORE_UNAVAILABLE" }]);
      const partial = join(disk, "artifacts", "partial");
      expect(existsSync(partial) ? readdirSync(partial) : []).toEqual([]);

      rmSync(filler);
      expect((await hub.call("POST", "/api/v1/groups", { name: "after" })).status).toBe(201);
      await until(async () => (await hub.call("GET", "/readyz")).status === 200, 10_000);
      const { body } = await hub.call("GET", "/api/v1/groups?limit=1000");
      const names = (body["items"] as { name: string }[]).map(({ name }) => name);
      expect(names.filter((name) => /^g\d/.test(name))).toEqual(made);
      await hub.kill("SIGKILL");
      const verified = await new Promise((resolve) => {
        execFile(process.execPath, [MAIN, "audit", "verify"], { env: { ...process.env, ...site.env } }, (error) =>
          resolve(error?.code ?? 0),
        );
      });
      expect(verified).toBe(0);
    } finally {
      await site.close();
      execFileSync("umount", ["-l", disk]);
    }
  }, 60_000);
});
