// The agent's own download and verification in a fresh process, twice: cold, with everything loaded for it, and warm.
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProbePolicy } from "@context-edge/protocol";
import { download } from "../agent/effects/download.ts";
import { downloadLine } from "../agent/effects/download-line.ts";
import { modelDirectory, prepareModelDirectory } from "../agent/effects/model-directory.ts";
import { publish } from "../agent/effects/publish.ts";

const task = JSON.parse(process.argv[2] ?? "{}") as { url: string; digest: string; sizeBytes: number };
const { signal } = new AbortController();

const restRssMb = process.memoryUsage.rss() / 1024 / 1024;
const cold = await once();
const peakRssMb = peak();
const warm = await once();
console.log(JSON.stringify({ cold: { ...cold, peakRssMb, restRssMb }, warm: { ...warm, peakRssMb: peak() } }));

async function once() {
  const dir = await mkdtemp(join(tmpdir(), "context-edge-bench-"));
  try {
    const directory = modelDirectory(dir, "default", "current.trt");
    await prepareModelDirectory(directory);
    const startedAt = performance.now();
    const before = process.cpuUsage();
    const downloaded = await download({
      line: downloadLine({ environment: {}, minBytesPerS: 256 }),
      url: task.url,
      credential: "bench",
      allowedOrigins: [],
      partPath: directory.partial(task.digest),
      clean: false,
      sizeBytes: task.sizeBytes,
      reserveBytes: 0,
      progress: () => undefined,
      signal,
    });
    const fetchMs = performance.now() - startedAt;
    const published = await publish({ directory, candidate: candidate(), held: [], signal });
    const wallMs = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(before);
    if (!downloaded.ok || published.is !== "published") throw new Error(JSON.stringify({ downloaded, published }));
    return { wallMs, fetchMs, verifyMs: wallMs - fetchMs, cpuMs: (user + system) / 1_000 };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function candidate() {
  return {
    model: "default",
    version: "v1",
    format: "trt",
    release: 1,
    minimumRelease: 0,
    deploymentId: "bench",
    retry: 0,
    digest: task.digest,
    sizeBytes: task.sizeBytes,
    policy: ProbePolicy.parse({}),
  };
}

/** From the kernel's own book: `maxRSS` of getrusage begins with the peak of the process that started this one. */
function peak(): number {
  const found = /^VmHWM:\s+(?<kb>\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.groups?.["kb"];
  return Number(found) / 1024;
}
