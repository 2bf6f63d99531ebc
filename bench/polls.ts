// 304 polls: a hub that knows every device and keeps its last-seen time, against nginx that serves a static file.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuMs, hasWrk, obedient, SERVER_CORE, startNginx, wrk } from "./beside.ts";
import { keep, LEAST_ROUNDS, medianRatio, mediansOf, pairedRounds, type Sample } from "./measure.ts";

const DEVICES = 512;
const SECONDS = 3;
const NGINX_PORT = 18_480;

export async function run(rounds: number = LEAST_ROUNDS): Promise<void> {
  if (!(await hasWrk())) return;
  const dir = await mkdtemp(join(tmpdir(), "context-edge-polls-"));
  const hub = await obedient("hub-child.ts", { dir, devices: DEVICES, group: "plant" }, SERVER_CORE);
  const nginx = await startNginx(NGINX_PORT, "", []);
  try {
    const url = `http://127.0.0.1:${String(hub.first["port"])}/device/v1/manifest`;
    const { etag, bytes } = await hub.ask<{ etag: string; bytes: number }>({ do: "etag" });
    await writeFile(join(dir, "hub.lua"), script("/device/v1/manifest", etag));
    for (const connections of [64, 512]) {
      const contestants: Record<string, (round: number) => Promise<Sample>> = {
        hub: () => oneRound(hub.pid, url, join(dir, "hub.lua"), connections),
      };
      if (nginx) {
        await writeFile(join(nginx.dir, "manifest"), "x".repeat(bytes));
        const file = `http://127.0.0.1:${nginx.port}/manifest`;
        const found = (await fetch(file)).headers.get("etag") ?? "";
        await writeFile(join(nginx.dir, "nginx.lua"), script("/manifest", found));
        contestants["nginx"] = () => oneRound(nginx.pid, file, join(nginx.dir, "nginx.lua"), connections);
      }
      const samples = await pairedRounds(contestants, rounds);
      const [ours = [], theirs] = [samples["hub"], samples["nginx"]];
      const ratios: Record<string, number> = {};
      if (theirs) {
        ratios["answers a second"] = medianRatio(ours, theirs, "perSecond");
        ratios["answers a CPU second"] = medianRatio(theirs, ours, "cpuMicrosEach");
      }
      await keep({ bench: `polls-${connections}`, rounds, medians: mediansOf(samples), ratios, samples });
    }
    console.log("last-seen times of the devices written in", await hub.ask({ do: "flush" }));
  } finally {
    await hub.end();
    await nginx?.end();
    await rm(dir, { recursive: true, force: true });
  }
}

async function oneRound(pid: number, url: string, lua: string, connections: number): Promise<Sample> {
  const before = await cpuMs(pid);
  const perSecond = await wrk(url, lua, connections, SECONDS);
  return { perSecond, cpuMicrosEach: (((await cpuMs(pid)) - before) * 1_000) / (perSecond * SECONDS) };
}

/** Every device with its own credential, in turns; requests are made once, beforehand. */
function script(path: string, etag: string): string {
  return `
local requests, next = {}, 0
function init()
  for n = 0, ${DEVICES - 1} do
    requests[n] = wrk.format("GET", "${path}", {
      ["Host"] = "hub", ["Authorization"] = string.format("Bearer ced_bench_edge-%05d", n), ["If-None-Match"] = '${etag}',
    })
  end
end
function request()
  next = (next + 1) % ${DEVICES}
  return requests[next]
end
`;
}
