// A hub in a process of its own, with a fleet put straight into its database; takes orders on stdin, one JSON document a line.
import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { buildApp } from "@context-edge/hub/app.ts";
import { readConfig } from "@context-edge/hub/config.ts";
import { openHub } from "@context-edge/hub/hub.ts";
import { observedRunning, putDevices } from "@context-edge/hub/testing/many-devices.ts";
import { seal, signingKeyFromSeed, STATEMENT_PAYLOAD_TYPE } from "@context-edge/protocol";

const {
  dir,
  devices,
  group,
  keep,
  lines = 1,
  dashboard = false,
} = JSON.parse(process.argv[2] ?? "{}") as {
  dir: string;
  devices: number;
  group: string;
  /** The database of an earlier hub is there already. */
  keep?: boolean;
  /** So many groups instead of one. */
  lines?: number;
  /** Serves the built dashboard too. */
  dashboard?: boolean;
};
const ids = Array.from({ length: devices }, (_, n) => `edge-${String(n).padStart(5, "0")}`);
mkdirSync(dir, { recursive: true });
const { privateKey } = generateKeyPairSync("ed25519");
const release = signingKeyFromSeed(Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url"));
writeFileSync(join(dir, "join"), "join-token-of-a-bench");
const configured = readConfig({
  HUB_DATA: join(dir, "data"),
  HUB_JOIN_TOKEN_FILE: join(dir, "join"),
  HUB_LOG_LEVEL: "error",
  ...(dashboard ? {} : { HUB_DASHBOARD_DIR: join(dir, "none") }),
});
if (!configured.ok) throw new Error(configured.reason);
const hub = await openHub(configured.config);
if (!keep) {
  const each = Math.ceil(ids.length / lines);
  for (let line = 0; line < lines; line += 1) {
    const name = lines === 1 ? group : `${group}-${line + 1}`;
    await putDevices(hub.store, ids.slice(line * each, (line + 1) * each), name);
  }
  for (const version of ["v1", "v2"]) await registerVersion(version);
  hub.memory.reload();
}
await hub.publisher.refresh();
const app = await buildApp(hub);
await app.listen({ port: 0, host: "127.0.0.1", backlog: 16_384 });

async function registerVersion(version: string): Promise<void> {
  const digest = createHash("sha256").update(version).digest("hex");
  const at = new Date().toISOString();
  const variants = [{ digest, size_bytes: 1, format: "onnx" as const, platform: {} }];
  const statement = { schema: 1 as const, model: "default", version, release: 1, created_at: at, variants };
  await hub.changes.make("bench", async ({ tx, touched }) => {
    await tx.versions.insert({
      model: "default",
      version_id: version,
      stage: "approved",
      accuracy: 0.9,
      training_samples: 1,
      training_date: at,
      metrics: {},
      variants,
      sha256: digest,
      size_bytes: 1,
      model_path: "",
      statement: seal(STATEMENT_PAYLOAD_TYPE, statement, release),
      signed_by: release.publicKey.id,
      content_hash: "",
      registered_at: at,
      registered_by: "bench",
      decided_by: null,
      decided_at: null,
      decision_reason: null,
    });
    touched.versions.add(`default/${version}`);
  });
}

const loop = monitorEventLoopDelay({ resolution: 1 });
setFlagsFromString("--expose_gc");
const collect = runInNewContext("gc") as () => void;
let driver: NodeJS.Timeout | undefined;
let driven = 0;

const ORDERS: Record<string, (order: { id?: string; count?: number }) => unknown> = {
  held: () => hub.polls.counts(),
  memory: () => {
    collect();
    return { rssBytes: process.memoryUsage.rss() };
  },
  cpu: () => ({ micros: process.cpuUsage().user + process.cpuUsage().system, atMs: performance.now() }),
  etag: () => {
    const published = hub.publisher.current(group);
    return { etag: published?.etag, bytes: published?.body.length };
  },
  /** How long the loop was held up, since the last time it was asked. */
  stalls: () => {
    const said = { p99Ms: loop.percentile(99) / 1e6, maxMs: loop.max / 1e6 };
    loop.reset();
    loop.enable();
    return said;
  },
  flush: async () => {
    const startedMs = performance.now();
    await hub.presence.flush();
    return { ms: performance.now() - startedMs };
  },
  /** Sum of the numbers of what devices reported: each number that is missing was lost. */
  reported: async () => {
    const all = await hub.store.devices.list();
    return { sum: all.reduce((sum, { observed_number }) => sum + observed_number, 0) };
  },
  /** So many rows of history. */
  history: ({ count = 0 }) =>
    hub.changes.make("bench", async ({ tell }) => {
      for (let at = 0; at < count; at += 1) await tell("bench.told", `edge-${at}`, "a device said something", { at });
    }),
  /** 1,000 changes a second, 20 of them with a row of history that says when it was told. */
  drive: () => {
    const observed = observedRunning("v1", "0".repeat(64));
    driver = setInterval(() => {
      driven += 1;
      const touched = Array.from({ length: 10 }, () => ids[Math.floor(Math.random() * ids.length)] ?? "");
      hub.changes.touch({ devices: new Set(touched) });
      if (driven % 5 !== 0) return;
      void hub.changes.make("bench", async ({ tx, tell }) => {
        const id = touched[0] ?? "";
        const numbers = { outbox: "bench", outcome_number: 0, observed_number: driven, last_outcomes: {} };
        await tx.devices.saveReport(id, { ...numbers, observed });
        await tell("bench.told", id, "a device said something", { sent: Date.now() });
      });
    }, 10);
    return {};
  },
  rest: () => {
    clearInterval(driver);
    return {};
  },
};

console.log(JSON.stringify({ port: (app.server.address() as AddressInfo).port }));
createInterface(process.stdin)
  .on("line", (line) => {
    const order = JSON.parse(line) as { do: string; id?: string; count?: number };
    void Promise.resolve(ORDERS[order.do]?.(order)).then((said) => console.log(JSON.stringify(said ?? {})));
  })
  .on("close", () => process.exit(0));
