// A restore that is killed, or loses power, between any two of its steps: the old database or the new one is there whole. Needs strace.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runHere, runHub } from "../testing/command-line.ts";
import { asideIn, configOf, killAHub, type KilledHub, type Remains, versionsIn } from "../testing/killed-hub.ts";
import { STRACE } from "../testing/machine.ts";
import { audit } from "./audit.ts";
import { user } from "./user.ts";

const strace = (...words: string[]) => ({ wrapper: [STRACE ?? "", "-f", "-qq", ...words] });

describe.skipIf(STRACE === undefined)("by system calls", () => {
  let killed: KilledHub;
  let left: Remains;
  beforeAll(async () => {
    killed = await killAHub();
  });
  afterAll(() => killed.close());
  beforeEach(() => {
    left = killed.remains();
  });
  afterEach(() => left.forget());

  test("the copy is on the disk before it is decided for, and the old files have lost their names there before it has its own", async () => {
    const trace = join(left.dir, "trace");
    const traced = strace("-y", "-s", "300", "-o", trace, "-e", "trace=rename,fsync,write");
    expect((await runHub(["restore", left.backup], { HUB_DATA: left.data }, traced)).code).toBe(0);
    const short = readFileSync(trace, "utf8")
      .replaceAll(/-\d{8}T\d{9}Z/g, "")
      .replaceAll(join(left.data, "hub.sqlite"), "db")
      .replaceAll(left.data, "directory");
    const calls = short.matchAll(
      /rename\("(?<from>db.*?)", "(?<to>.*?)"|fsync\(\d+<(?<synced>.*?)>|write\(1<.*(?<said>db is that copy now)/g,
    );
    const steps = [...calls].map(({ groups: { from, to, synced, said } = {} }) => {
      if (said !== undefined) return said;
      return synced === undefined ? `${from} to ${to}` : `sync ${synced}`;
    });
    expect(steps.slice(steps.lastIndexOf("sync db.restoring"))).toEqual([
      "sync db.restoring",
      "db.restoring to db.restored",
      "sync directory",
      "db to db.replaced",
      "db-wal to db.replaced-wal",
      "db-shm to db.replaced-shm",
      "sync directory",
      "db.restored to db",
      "sync directory",
      "db is that copy now",
    ]);
  });

  const STEPS = [
    ...[1, 2, 3, 4, 5].map((when) => `rename:signal=SIGKILL:when=${when}`),
    ...[1, 2, 3, 4].map((when) => `fsync:signal=SIGKILL:when=${when}`),
  ];

  test("killed at a rename or an fsync: never a mix, neither is lost, and nobody opens what is half-way", async () => {
    const seen = new Set<string>();
    for (const step of STEPS) {
      const mine = join(left.dir, step);
      cpSync(left.data, mine, { recursive: true });
      const injected = strace("-o", "/dev/null", "-e", "trace=rename,fsync", "-e", `inject=${step}`);
      const ended = await runHub(["restore", left.backup], { HUB_DATA: mine, UV_THREADPOOL_SIZE: "1" }, injected);
      const isHalfway = readdirSync(mine).some((name) => name.includes(".restored-"));
      const command = await runHere(user, configOf({ HUB_DATA: mine }), ["list"]);
      expect(command.code, step).toBe(isHalfway ? 1 : 0);

      const versions = (await versionsIn(mine)).join();
      expect(["v1", "v1,v2"], step).toContain(versions);
      expect((await runHere(audit, configOf({ HUB_DATA: mine }), ["verify"])).code, step).toBe(0);
      expect(existsSync(join(mine, "hub.sqlite.restoring")), step).toBe(false);
      if (versions === "v1") {
        const aside = new Database(join(mine, asideIn(mine)), { readonly: true });
        expect(aside.prepare("select * from versions").all(), step).toHaveLength(2);
        aside.close();
      }
      seen.add(`${ended.code === 0 ? "done" : "killed"}: ${versions}${isHalfway ? ", completed by the hub" : ""}`);
      rmSync(mine, { recursive: true });
    }
    expect([...seen]).toEqual(expect.arrayContaining(["killed: v1,v2", "killed: v1, completed by the hub"]));
  }, 120_000);
});
