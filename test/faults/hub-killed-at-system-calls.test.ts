// A short sweep: a real hub that takes an upload and a registration is killed at calls of the thread that writes files and of the one that
// writes the database, evenly chosen. What is there afterwards is whole, what was acknowledged is there, and the same calls again succeed. Needs strace.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type HubProcess, openSite, registrationOf, type Site } from "@context-edge/hub/testing/hub-process.ts";
import { expect, test } from "vitest";
import { attach, STRACE, threadsOf } from "./strace.ts";

/** Of each, whatever the architecture calls it: rename or renameat2. */
const CALLS = ["open", "write", "pwrite", "fsync", "fdatasync", "rename", "link", "unlink", "mkdir", "ftruncate"];
const TRACE = `trace=/^(${CALLS.join("|")})`;
const THREADS = ["node-MainThread", "libuv-worker"];
/** About two seconds each. */
const MOST_POINTS = 40;

interface Point {
  thread: string;
  call: string;
  ordinal: number;
  of: number;
}

const bytesOf = (version: string) => Buffer.alloc(300_000, `model ${version} `);
const digestOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** What the hub said yes to before it fell silent. */
async function publish(
  hub: HubProcess,
  site: Site,
  version: string,
): Promise<{ uploaded: boolean; registered: boolean }> {
  const bytes = bytesOf(version);
  const said = { uploaded: false, registered: false };
  try {
    said.uploaded = (await hub.call("PUT", `/mlops/artifacts/${digestOf(bytes)}`, bytes)).status < 300;
    const registration = registrationOf(site, version, bytes);
    said.registered = (await hub.call("POST", "/mlops/models/register", registration)).status < 300;
  } catch (error) {
    // The connection broke: that is what dying looks like from here.
    if (!(error instanceof TypeError)) throw error;
  }
  return said;
}

/** How often each call happens in one publication, by thread. */
async function countCalls(hub: HubProcess, site: Site): Promise<Point[]> {
  const threads = threadsOf(hub.pid);
  const points: Point[] = [];
  for (const thread of THREADS) {
    const log = join(site.dir, `${thread}.trace`);
    const letGo = await attach(threads.get(thread) ?? 0, ["-o", log, "-e", TRACE]);
    expect(await publish(hub, site, `base-${thread.toLowerCase()}`)).toEqual({ uploaded: true, registered: true });
    await letGo();
    const names = [...readFileSync(log, "utf8").matchAll(/^([a-z0-9]+)\(/gm)].map(([, name = ""]) => name);
    const counts = Map.groupBy(names, (name) => name);
    for (const [call, all] of counts)
      points.push(...all.map((_, index) => ({ thread, call, ordinal: index + 1, of: all.length })));
  }
  return points;
}

function evenly<T>(all: readonly T[], most: number): T[] {
  const step = Math.max(1, all.length / most);
  return all.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}

const artifactsOf = (site: Site) => join(site.env["HUB_DATA"] ?? "", "artifacts");

/** Every file under a digest's name has that digest. */
function expectWholeFiles(site: Site, when: string): void {
  const dir = artifactsOf(site);
  const files = readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((name) => /[0-9a-f]{64}$/.test(name));
  for (const file of files) expect(digestOf(readFileSync(join(dir, file))), when).toBe(file.slice(-64));
}

async function lookUp(hub: HubProcess, site: Site, version: string) {
  const digest = digestOf(bytesOf(version));
  const file = await hub.call("HEAD", `/mlops/artifacts/${digest}`);
  const record = await hub.call("GET", `/api/v1/models/default/versions/${version}`);
  const isOnDisk = existsSync(join(artifactsOf(site), digest.slice(0, 2), digest));
  expect([200, 404]).toContain(record.status);
  expect(file.status === 200).toBe(isOnDisk);
  return { hasFile: file.status === 200, isRegistered: record.status === 200 };
}

test.runIf(STRACE)(
  "fault 56: killed at any of these calls of an upload and a registration, the hub has all of it or nothing, and the same calls again succeed",
  async () => {
    // One thread for the disk: the calls come in the same order every time.
    const site = openSite({ UV_THREADPOOL_SIZE: "1" });
    let hub = await site.start();
    // Nothing that is done only once.
    await publish(hub, site, "warm-up");
    const all = await countCalls(hub, site);
    const chosen = evenly(all, MOST_POINTS);
    const kinds = new Set(all.map(({ thread, call }) => `${call} of ${thread}`));
    process.stdout.write(`killing at ${chosen.length} of ${all.length} calls: ${[...kinds].join(", ")}\n`);
    let kills = 0;
    const outcomes = new Map<string, number>();
    for (const [index, { thread, call, ordinal, of }] of chosen.entries()) {
      const when = `${call} ${ordinal} of ${of} in ${thread}`;
      const version = `v-${index}`;
      const options = ["-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${ordinal}`];
      const letGo = await attach(threadsOf(hub.pid).get(thread) ?? 0, options);
      const said = await publish(hub, site, version);
      await letGo();
      // Counts differ a little from one publication to the next: the last call may not have come.
      if (existsSync(`/proc/${hub.pid}/exe`) && said.registered) continue;
      kills += 1;
      await hub.kill("SIGKILL");
      expectWholeFiles(site, when);
      hub = await site.start();
      const found = await lookUp(hub, site, version);
      const outcome = found.isRegistered ? "registered" : found.hasFile ? "only the file" : "nothing";
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (found.isRegistered) expect(found.hasFile, `${when}: a version without its file`).toBe(true);
      if (said.uploaded) expect(found.hasFile, `${when}: an acknowledged file is gone`).toBe(true);
      if (said.registered) expect(found.isRegistered, `${when}: an acknowledged version is gone`).toBe(true);
      expect(await publish(hub, site, version), `after ${when}`).toEqual({ uploaded: true, registered: true });
      expect(await lookUp(hub, site, version), `after ${when}`).toEqual({ hasFile: true, isRegistered: true });
    }
    process.stdout.write(`${kills} kills; found afterwards: ${JSON.stringify(Object.fromEntries(outcomes))}\n`);
    expect(kills).toBeGreaterThan(chosen.length / 2);
    expect([...outcomes.keys()]).toEqual(expect.arrayContaining(["nothing", "only the file"]));
    await site.close();
  },
);
