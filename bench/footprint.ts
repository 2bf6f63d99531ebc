// What an idle agent costs a device: memory at rest, time from start to the first poll, CPU; beside Mender's client and an empty Node.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type FakeHub, startFakeHub, TEST_JOIN_TOKEN } from "@context-edge/agent/testing/fake-hub.ts";
import { bundledAgent } from "./child.ts";
import { type Contestants, keep, LEAST_ROUNDS, mediansOf, pairedRounds, type Sample } from "./measure.ts";

/** After this a process has done what a start brings with it. */
const SETTLE_MS = 5_000;
const REST_MS = 15_000;
const MENDER = "/usr/bin/mender";
/** As in systemd/context-edge-agent.service. */
const LEAN = { NODE_OPTIONS: "--max-semi-space-size=1", MALLOC_ARENA_MAX: "1" };
const CLOCK_TICKS_PER_S = 100;

export async function run(rounds: number = LEAST_ROUNDS): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "context-edge-footprint-"));
  const hub = await startFakeHub("edge-001");
  const agent = await bundledAgent();
  const environment = await settings(dir, hub);
  const contestants: Record<string, (round: number) => Promise<Sample>> = {
    agent: () => ofAgent(agent.path, { ...environment, AGENT_STATUS_PORT: "0" }, hub),
    "agent with its page": () => ofAgent(agent.path, { ...environment, AGENT_STATUS_PORT: "9390" }, hub),
    "empty Node": () => atRest(spawn(process.execPath, ["-e", "setInterval(() => {}, 60000)"], { stdio: "ignore" })),
  };
  if (await isThere(MENDER)) contestants["Mender"] = async () => atRest(await startMender(dir));
  else console.log("Mender's client is not installed (Debian: mender-client): measured without it");
  try {
    const samples = await pairedRounds(contestants satisfies Contestants, rounds);
    await keep({ bench: "footprint", rounds, medians: mediansOf(samples), ratios: {}, samples });
  } finally {
    await agent.drop();
    await hub.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function settings(dir: string, hub: FakeHub): Promise<Record<string, string>> {
  await writeFile(join(dir, "hub.pem"), hub.hubKey.pem);
  await writeFile(join(dir, "release.pem"), hub.releaseKey.pem);
  await writeFile(join(dir, "join"), TEST_JOIN_TOKEN);
  return {
    AGENT_DEVICE_ID: "edge-001",
    AGENT_MODELS_DIR: join(dir, "models"),
    AGENT_HUB_URL: hub.url,
    AGENT_HUB_KEYS: join(dir, "hub.pem"),
    AGENT_RELEASE_KEYS: join(dir, "release.pem"),
    AGENT_JOIN_TOKEN_FILE: join(dir, "join"),
    AGENT_ALLOW_FILESYSTEMS: "tmpfs,overlay",
    AGENT_LOG_LEVEL: "silent",
  };
}

/** With a hub that holds its polls, as a device rests in a factory. */
async function ofAgent(path: string, environment: Record<string, string>, hub: FakeHub): Promise<Sample> {
  const polled = Promise.withResolvers<void>();
  hub.intercept((request) => {
    if (request.url === "/device/v1/manifest") polled.resolve();
    return false;
  });
  const startedAt = performance.now();
  const child = spawn(process.execPath, [path, "run"], {
    stdio: "ignore",
    env: { ...process.env, ...LEAN, ...environment },
  });
  await polled.promise;
  const startToPollMs = performance.now() - startedAt;
  return { startToPollMs, ...(await atRest(child)) };
}

/** The process is ended afterwards. */
async function atRest(child: ChildProcess): Promise<Sample> {
  const pid = child.pid ?? 0;
  try {
    await delay(SETTLE_MS);
    const before = await cpuSeconds(pid);
    await delay(REST_MS);
    const cpuPercent = (100 * ((await cpuSeconds(pid)) - before)) / (REST_MS / 1_000);
    return { ...(await memory(pid)), cpuPercent };
  } finally {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
}

/** From smaps_rollup, in MiB. Private: pages no other process maps now; dirty: those that are no file's, either. */
async function memory(pid: number): Promise<Sample> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? Number.NaN);
  return {
    residentMib: kb("Rss") / 1_024,
    privateMib: (kb("Private_Clean") + kb("Private_Dirty")) / 1_024,
    dirtyMib: kb("Private_Dirty") / 1_024,
  };
}

async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S;
}

/** Its daemon, polling a server that is not there; it has no state to read on this machine, and says so in its log. */
async function startMender(dir: string): Promise<ChildProcess> {
  const config = join(dir, "mender.conf");
  const polls = { UpdatePollIntervalSeconds: 30, InventoryPollIntervalSeconds: 60, RetryPollIntervalSeconds: 30 };
  await writeFile(config, JSON.stringify({ ServerURL: "http://127.0.0.1:9", ...polls }));
  return spawn(MENDER, ["-c", config, "-d", dir, "--log-level", "panic", "daemon"], { stdio: "ignore" });
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
