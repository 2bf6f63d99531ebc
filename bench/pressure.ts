// Polls while people ask for more than the hub can give: on connections that stay and on new ones, beside the same polls at rest.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { hasWrk, LOAD_CORE, obedient, SERVER_CORE } from "./beside.ts";
import { keep, LEAST_ROUNDS, mediansOf, pairedRounds, quantile, type Sample } from "./measure.ts";

const run_ = promisify(execFile);
const DEVICES = 500;
const EVENTS = 2_000;
const LOAD_SECONDS = 9;
/** Until the load is at its height, and how long polls are watched then. */
const SETTLE_MS = 2_000;
const WATCH_MS = 5_000;
const KEPT = 20;
const KEPT_EVERY_MS = 200;
const NEW_EVERY_MS = 50;
/** Whoever waits longer than this counts as having waited this long. */
const PATIENCE_MS = 20_000;
const LOADS = { "400 connections": 400, "2,500 connections": 2_500 };

export async function run(rounds: number = LEAST_ROUNDS): Promise<void> {
  if (!(await hasWrk())) return;
  const dir = await mkdtemp(join(tmpdir(), "context-edge-pressure-"));
  const hub = await obedient("hub-child.ts", { dir, devices: DEVICES, group: "plant" }, SERVER_CORE);
  try {
    await hub.ask({ do: "history", count: EVENTS });
    const base = `http://127.0.0.1:${String(hub.first["port"])}`;
    const contestants: Record<string, (round: number) => Promise<Sample>> = {
      "at rest": async () => watched(base, await connected(base)),
    };
    for (const [name, connections] of Object.entries(LOADS)) {
      contestants[name] = async () => {
        const kept = await connected(base);
        return underLoad(`${base}/api/v1/audit?limit=1000`, connections, () => watched(base, kept));
      };
    }
    const samples = await pairedRounds(contestants, rounds);
    await keep({ bench: "pressure", rounds, medians: mediansOf(samples), ratios: {}, samples });
  } finally {
    await hub.end();
    await rm(dir, { recursive: true, force: true });
  }
}

async function underLoad(url: string, connections: number, watch: () => Promise<Sample>): Promise<Sample> {
  const words = ["-c", String(LOAD_CORE), "wrk", "-t", "1", "-c", String(connections), "-d", `${LOAD_SECONDS}s`];
  const load = run_("taskset", [...words, "--timeout", `${PATIENCE_MS / 1_000}s`, url]);
  await delay(SETTLE_MS);
  const sample = await watch();
  const { stdout } = await load;
  const answers = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0);
  return { ...sample, peopleServedPerS: (answers - refused) / LOAD_SECONDS, peopleShedPerS: refused / LOAD_SECONDS };
}

/** Before the load: connections of devices that have been there for long. */
async function connected(base: string): Promise<Agent> {
  const agent = new Agent({ keepAlive: true, maxSockets: KEPT, maxFreeSockets: KEPT });
  await Promise.all(Array.from({ length: KEPT }, (_, device) => poll(base, device, { agent })));
  return agent;
}

async function watched(base: string, agent: Agent): Promise<Sample> {
  const endMs = performance.now() + WATCH_MS;
  const [kept, fresh]: [number[], number[]] = [[], []];
  const polls: Promise<void>[] = [];
  const every = async (pauseMs: number, times: number[], more: { agent: Agent } | { agent: false }) => {
    for (let turn = 0; performance.now() < endMs; turn += 1) {
      polls.push(poll(base, turn % DEVICES, more).then((ms) => void times.push(ms)));
      await delay(pauseMs);
    }
  };
  await Promise.all([every(KEPT_EVERY_MS / KEPT, kept, { agent }), every(NEW_EVERY_MS, fresh, { agent: false })]);
  await Promise.all(polls);
  agent.destroy();
  const figures = (name: string, times: number[]): [string, number][] => [
    [`${name}P50Ms`, quantile(times, 0.5)],
    [`${name}P99Ms`, quantile(times, 0.99)],
    [`${name}MaxMs`, Math.max(...times)],
  ];
  return Object.fromEntries([...figures("kept", kept), ...figures("new", fresh)]);
}

function poll(base: string, device: number, { agent }: { agent: Agent | false }): Promise<number> {
  const beganMs = performance.now();
  const authorization = `Bearer ced_bench_edge-${String(device).padStart(5, "0")}`;
  return new Promise((resolve) => {
    const done = () => resolve(performance.now() - beganMs);
    const request = get(`${base}/device/v1/manifest`, { agent, headers: { authorization } }, (answer) => {
      answer.resume().once("end", done);
    });
    request.setTimeout(PATIENCE_MS, () => request.destroy()).once("error", () => resolve(PATIENCE_MS));
  });
}
