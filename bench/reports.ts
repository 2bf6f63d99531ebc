// Reports offered at 10,000 a second, and 10,000 devices that come back to a hub just started: is any lost, and how long do they take.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LOAD_CORE, obedient, SERVER_CORE } from "./beside.ts";
import { keep, LEAST_ROUNDS, mediansOf, type Sample } from "./measure.ts";

const DEVICES = 10_000;
const PER_SECOND = 10_000;
const SECONDS = 3;

interface Offered extends Record<string, unknown> {
  total: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  lastMs: number;
  statuses: Record<string, number>;
}

export async function run(rounds: number = LEAST_ROUNDS): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "context-edge-reports-"));
  const samples: Record<string, Sample[]> = { "comes back": [], reports: [] };
  try {
    for (let round = 0; round < rounds; round += 1) {
      const place = join(dir, String(round));
      const first = await obedient("hub-child.ts", { dir: place, devices: DEVICES, group: "plant" }, SERVER_CORE);
      samples["reports"]?.push(await reports(first));
      await first.end();
      const startedMs = performance.now();
      const again = await obedient(
        "hub-child.ts",
        { dir: place, devices: DEVICES, group: "plant", keep: true },
        SERVER_CORE,
      );
      const startMs = performance.now() - startedMs;
      samples["comes back"]?.push({ ...(await comeBack(again)), startMs });
      await again.end();
      await rm(place, { recursive: true, force: true });
    }
    await keep({ bench: "reports", rounds, medians: mediansOf(samples), ratios: {}, samples });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

type Hub = Awaited<ReturnType<typeof obedient>>;

async function reports(hub: Hub): Promise<Sample> {
  const task = { port: hub.first["port"], devices: DEVICES, perSecond: PER_SECOND, seconds: SECONDS };
  const load = await obedient("reports-child.ts", task, LOAD_CORE);
  await hub.ask({ do: "stalls" });
  const { total, perSecond, p50Ms, p99Ms, lastMs, statuses } = await load.ask<Offered>({ do: "offer" });
  const { maxMs } = await hub.ask<{ maxMs: number }>({ do: "stalls" });
  await load.end();
  const { sum } = await hub.ask<{ sum: number }>({ do: "reported" });
  // Each device's numbers go 1, 2, 3: the newest of all devices together are the reports, when none is lost.
  return {
    perSecond,
    p50Ms,
    p99Ms,
    lastMs,
    longestStallMs: maxMs,
    refused: total - (statuses["200"] ?? 0),
    lost: total - sum,
  };
}

async function comeBack(hub: Hub): Promise<Sample> {
  const headers = { Authorization: "Bearer ced_bench_{id}" };
  const task = { port: hub.first["port"], devices: DEVICES, path: "/device/v1/manifest", headers, wait: 0 };
  const devices = await obedient("holder-child.ts", task, LOAD_CORE);
  await hub.ask({ do: "stalls" });
  const { p50Ms, p99Ms, lastMs, again, statuses } = await devices.ask<Offered & { again: number }>({ do: "ask" });
  const { maxMs } = await hub.ask<{ maxMs: number }>({ do: "stalls" });
  await devices.end();
  const lost = DEVICES - (statuses["200"] ?? 0);
  return { p50Ms, p99Ms, lastMs, longestStallMs: maxMs, connectedAgain: again, lost };
}
