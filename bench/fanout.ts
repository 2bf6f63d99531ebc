// From promote to the last of 10,000 held devices, against nginx with nchan; and what a held device costs in memory.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LOAD_CORE, obedient, type Orders, SERVER_CORE, startNginx } from "./beside.ts";
import { keep, LEAST_ROUNDS, medianRatio, mediansOf, type Sample } from "./measure.ts";

const DEVICES = 10_000;
const NGINX_PORT = 18_481;
const NCHAN = "/usr/lib/nginx/modules/ngx_nchan_module.so";
const LOCATIONS = `
location = /sub { nchan_subscriber longpoll; nchan_channel_id plant; nchan_subscriber_first_message newest; nchan_subscriber_timeout 0; }
location = /pub { nchan_publisher; nchan_channel_id plant; nchan_message_timeout 1s; }`;
/** Of each life: the first fan-out is cold, the others are warm. */
const FANOUTS = 4;

interface Fanout {
  firstMs: number;
  lastMs: number;
}

export async function run(rounds: number = LEAST_ROUNDS): Promise<void> {
  const samples: Record<string, Sample[]> = { hub: [], "nginx with nchan": [] };
  const memory: Sample[] = [];
  let isCompared = true;
  for (let round = 0; round < rounds; round += 1) {
    const hub = await ofHub(memory);
    samples["hub"]?.push(hub.sample);
    const nchan = isCompared ? await ofNchan(hub.bytes) : null;
    if (nchan) samples["nginx with nchan"]?.push(nchan);
    else isCompared = false;
  }
  if (!isCompared) delete samples["nginx with nchan"];
  const [ours = [], theirs] = Object.values(samples);
  const ratio = (key: string) => (theirs ? medianRatio(ours, theirs, key) : Number.NaN);
  const ratios = theirs
    ? { warm: ratio("warmMs"), cold: ratio("coldMs"), "warm, first to last": ratio("warmSpreadMs") }
    : {};
  await keep({ bench: "fanout", rounds, medians: mediansOf(samples), ratios, samples });
  const held = { "held device": memory };
  await keep({ bench: "held-memory", rounds, medians: mediansOf(held), ratios: {}, samples: held });
}

async function ofHub(memory: Sample[]): Promise<{ sample: Sample; bytes: number }> {
  const dir = await mkdtemp(join(tmpdir(), "context-edge-fanout-"));
  const hub = await obedient("hub-child.ts", { dir, devices: DEVICES, group: "plant" }, SERVER_CORE);
  const port = Number(hub.first["port"]);
  const headers = { Authorization: "Bearer ced_bench_{id}" };
  const task = { port, devices: DEVICES, path: "/device/v1/manifest", headers, wait: 60 };
  const devices = await obedient("holder-child.ts", task, LOAD_CORE);
  try {
    const before = await hub.ask<{ rssBytes: number }>({ do: "memory" });
    await devices.ask({ do: "ask" });
    const fanouts: Fanout[] = [];
    const stalls: number[] = [];
    for (let n = 0; n < FANOUTS; n += 1) {
      await devices.ask({ do: "hold" });
      for (;;) {
        const { held } = await hub.ask<{ held: number }>({ do: "held" });
        if (held === DEVICES) break;
        await delay(50);
      }
      if (n === 0) {
        await delay(1_000);
        const after = await hub.ask<{ rssBytes: number }>({ do: "memory" });
        memory.push({ kilobytes: (after.rssBytes - before.rssBytes) / DEVICES / 1_000 });
      }
      await hub.ask({ do: "stalls" });
      const url = `http://127.0.0.1:${port}/api/v1/groups/plant/target`;
      const body = JSON.stringify({ version: n % 2 === 0 ? "v1" : "v2" });
      fanouts.push(await devices.ask<Fanout>({ do: "news", method: "PUT", url, body }));
      stalls.push((await hub.ask<{ maxMs: number }>({ do: "stalls" })).maxMs);
    }
    const { bytes } = await hub.ask<{ bytes: number }>({ do: "etag" });
    return { sample: { ...sampleOf(fanouts), longestStallMs: Math.max(...stalls) }, bytes };
  } finally {
    await endAll(devices, hub);
    await rm(dir, { recursive: true, force: true });
  }
}

async function ofNchan(bytes: number): Promise<Sample | null> {
  const nginx = await startNginx(NGINX_PORT, LOCATIONS, [NCHAN]);
  if (!nginx) return null;
  const task = { port: NGINX_PORT, devices: DEVICES, path: "/sub", headers: {}, wait: 0 };
  const devices = await obedient("holder-child.ts", task, LOAD_CORE);
  try {
    const url = `http://127.0.0.1:${NGINX_PORT}/pub`;
    const fanouts: Fanout[] = [];
    for (let n = 0; n < FANOUTS; n += 1) {
      // The message before has gone by then, so that they wait for the next one.
      await delay(1_500);
      await devices.ask({ do: "hold" });
      for (;;) {
        const text = await fetch(url, { headers: { accept: "text/json" } }).then((answer) => answer.text());
        if (Number(/"subscribers":\s*(\d+)/.exec(text)?.[1]) === DEVICES) break;
        await delay(50);
      }
      fanouts.push(await devices.ask<Fanout>({ do: "news", method: "POST", url, body: "x".repeat(bytes) }));
    }
    return sampleOf(fanouts);
  } finally {
    await endAll(devices, nginx);
  }
}

function sampleOf([cold, ...warm]: readonly Fanout[]): Sample {
  const mean = (of: (one: Fanout) => number) => warm.reduce((sum, one) => sum + of(one), 0) / warm.length;
  return {
    coldMs: cold?.lastMs ?? Number.NaN,
    warmMs: mean(({ lastMs }) => lastMs),
    warmFirstMs: mean(({ firstMs }) => firstMs),
    warmSpreadMs: mean(({ firstMs, lastMs }) => lastMs - firstMs),
  };
}

async function endAll(...children: readonly Pick<Orders, "end">[]): Promise<void> {
  for (const child of children) await child.end();
}
