// Devices that report, offered at a fixed rate whatever the hub does: a report that has no free connection waits, and its time counts.
import { request, Agent } from "node:http";
import { createInterface } from "node:readline";
import { observedRunning } from "@context-edge/hub/testing/many-devices.ts";

const { port, devices, perSecond, seconds } = JSON.parse(process.argv[2] ?? "{}") as Record<string, number>;
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const digest = "0".repeat(64);
const outbox = crypto.randomUUID();
const idOf = (n: number) => `edge-${String(n).padStart(5, "0")}`;
const observed = JSON.stringify(observedRunning("v1", digest));

async function offer(): Promise<Record<string, unknown>> {
  const total = (perSecond ?? 0) * (seconds ?? 0);
  const times: number[] = [];
  const statuses: Record<string, number> = {};
  const done = Promise.withResolvers<void>();
  const startedMs = performance.now();
  let sent = 0;

  const sendOne = (index: number) => {
    const n = index % (devices ?? 1);
    const number = Math.floor(index / (devices ?? 1)) + 1;
    const body = `{"device":"${idOf(n)}","outbox":"${outbox}","observed":{"number":${number},"state":${observed}},"outcomes":[]}`;
    const dueMs = startedMs + (index * 1_000) / (perSecond ?? 1);
    const headers = {
      authorization: `Bearer ced_bench_${idOf(n)}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    };
    const outgoing = request({ port, host: "127.0.0.1", method: "POST", path: "/device/v1/reports", agent, headers });
    const end = (status: string) => {
      statuses[status] = (statuses[status] ?? 0) + 1;
      times.push(performance.now() - dueMs);
      if (times.length === total) done.resolve();
    };
    outgoing.on("response", (response) => response.resume().on("end", () => end(String(response.statusCode))));
    outgoing.on("error", () => end("lost"));
    outgoing.end(body);
  };
  const tick = setInterval(() => {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1_000) * (perSecond ?? 0)));
    while (sent < due) sendOne(sent++);
    if (sent === total) clearInterval(tick);
  }, 2);
  await done.promise;
  const tookMs = performance.now() - startedMs;
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)];
  return { total, perSecond: total / (tookMs / 1_000), p50Ms: at(0.5), p99Ms: at(0.99), lastMs: at(1), statuses };
}

console.log(JSON.stringify({}));
createInterface(process.stdin)
  .on("line", () => void offer().then((said) => console.log(JSON.stringify(said))))
  .on("close", () => process.exit(0));
