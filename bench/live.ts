// 200 dashboards while 1,000 changes a second go by: what they cost the hub beyond the same changes without them, and how late they hear.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LOAD_CORE, obedient, SERVER_CORE } from "./beside.ts";
import { keep, LEAST_ROUNDS, mediansOf, pairedRounds, type Sample } from "./measure.ts";

const SECONDS = 3;
const FLEETS = [100, 5_000];

export async function run(rounds: number = LEAST_ROUNDS): Promise<void> {
  for (const devices of FLEETS) {
    const dir = await mkdtemp(join(tmpdir(), "context-edge-live-"));
    const hub = await obedient("hub-child.ts", { dir, devices, group: "plant" }, SERVER_CORE);
    try {
      const samples = await pairedRounds(
        {
          "200 dashboards": () => oneRound(hub, 200),
          "one dashboard": () => oneRound(hub, 1),
          none: () => oneRound(hub, 0),
        },
        rounds,
      );
      await keep({ bench: `live-${devices}-devices`, rounds, medians: mediansOf(samples), ratios: {}, samples });
    } finally {
      await hub.end();
      await rm(dir, { recursive: true, force: true });
    }
  }
}

async function oneRound(hub: Awaited<ReturnType<typeof obedient>>, dashboards: number): Promise<Sample> {
  const readers = await obedient("live-child.ts", { port: hub.first["port"], dashboards }, LOAD_CORE);
  await delay(300);
  await hub.ask({ do: "drive" });
  await delay(500);
  await readers.ask({});
  const before = await hub.ask<{ micros: number; atMs: number }>({ do: "cpu" });
  await delay(SECONDS * 1_000);
  const after = await hub.ask<{ micros: number; atMs: number }>({ do: "cpu" });
  const { p50Ms, p99Ms, megabytes } = await readers.ask({});
  await hub.ask({ do: "rest" });
  await readers.end();
  const cpuPercent = (after.micros - before.micros) / 10 / (after.atMs - before.atMs);
  return { cpuPercent, p50Ms: p50Ms ?? 0, p99Ms: p99Ms ?? 0, megabytesPerSecond: (megabytes ?? 0) / SECONDS };
}
