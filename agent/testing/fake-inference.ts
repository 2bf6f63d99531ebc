// An inference service for tests: serves whatever file the slot link points to, speaks Open Inference Protocol and Triton's load and unload.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type Behaviour, readModel } from "./fake-model.ts";

export interface FakeInference {
  url: string;
  /** sha256 of the file that is served, null when none is. */
  served(): string | null;
  /** What came in, oldest first: `load`, `unload`, and nothing else. */
  reloads: ("load" | "unload")[];
  /** Makes loads come back with the file that was served before, as a server does that takes the new one for unmodified. */
  ignoreReloads(isIgnoring: boolean): void;
  setDown(isDown: boolean): void;
  /** Restarted with another TensorRT, as after a JetPack update: it loads what the link leads to, if it can. */
  updateTensorRt(version: string): Promise<void>;
  close(): Promise<void>;
}

interface Loaded {
  digest: string;
  behaviour: Behaviour;
  requests: number;
  errors: number;
  ns: number;
}

export async function startFakeInference(link: string): Promise<FakeInference> {
  let loaded: Loaded | null = null;
  let isDown = false;
  let isIgnoring = false;
  let isUnloaded = false;
  let runtime = "10.3.0.30";
  const reloads: ("load" | "unload")[] = [];

  const load = async () => {
    const bytes = await readFile(link);
    const { behaviour, tensorrt } = readModel(bytes);
    if (!behaviour.loads) throw new Error("The engine plan file is generated on an incompatible device");
    if (tensorrt !== null && tensorrt !== runtime) {
      const versions = `expecting library version ${runtime} got ${tensorrt}`;
      throw new Error(
        `The engine plan file is not compatible with this version of TensorRT, ${versions}, please rebuild.`,
      );
    }
    loaded = { digest: createHash("sha256").update(bytes).digest("hex"), behaviour, requests: 0, errors: 0, ns: 0 };
  };
  await load().catch(() => undefined);

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(body === null ? "" : JSON.stringify(body));
    };
    const { url = "" } = request;
    const body = await bodyOf(request);
    const verb = /^\/v2\/repository\/models\/default\/(load|unload)$/.exec(url)?.[1];
    if (verb === "load" || verb === "unload") {
      reloads.push(verb);
      isUnloaded = verb === "unload" && isIgnoring;
      if (isIgnoring) return send(200, null);
      loaded = null;
      if (verb === "unload") return send(200, null);
      return load().then(
        () => send(200, null),
        (error: unknown) => send(400, { error: String(error) }),
      );
    }
    if (isDown) return send(503, { error: "down" });
    if (url === "/v2/health/ready") return send(200, null);
    const isDead = loaded !== null && loaded.behaviour.diesAfter > 0 && loaded.requests >= loaded.behaviour.diesAfter;
    if (!loaded || isDead || isUnloaded) return send(400, { error: "model 'default' is not ready" });
    if (url === "/v2/models/default") return send(200, metadataOf(loaded));
    if (url === "/v2/models/default/stats") return send(200, statsOf(loaded));
    if (url === "/v2/models/default/infer") return infer(loaded, body, send);
    return send(404, { error: "no such path" });
  };

  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    served: () => loaded?.digest ?? null,
    reloads,
    ignoreReloads(now) {
      isIgnoring = now;
    },
    setDown(now) {
      isDown = now;
    },
    async updateTensorRt(version) {
      runtime = version;
      loaded = null;
      await load().catch(() => undefined);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function infer(loaded: Loaded, body: string, send: (status: number, body: unknown) => void): Promise<void> {
  loaded.requests += 1;
  const { latencyMs, factor, failEvery } = loaded.behaviour;
  if (latencyMs > 0) await delay(latencyMs);
  if (failEvery > 0 && loaded.requests % failEvery === 0) {
    loaded.errors += 1;
    return send(500, { error: "out of memory" });
  }
  loaded.ns += latencyMs * 1e6 + 1;
  const { inputs } = JSON.parse(body) as { inputs: { data: number[]; shape: number[] }[] };
  const [input] = inputs;
  const data = (input?.data ?? []).map((value) => value * factor);
  send(200, {
    model_name: "default",
    model_version: loaded.digest.slice(0, 12),
    parameters: { digest: loaded.digest },
    outputs: [{ name: "y", datatype: "FP32", shape: input?.shape ?? [0], data }],
  });
}

function metadataOf({ digest }: Loaded) {
  const tensor = (name: string) => ({ name, datatype: "FP32", shape: [-1, 2] });
  return { name: "default", platform: "fake", inputs: [tensor("x")], outputs: [tensor("y")], parameters: { digest } };
}

function statsOf({ requests, errors, ns }: Loaded) {
  const inference_stats = { success: { count: requests - errors, ns }, fail: { count: errors, ns: 0 } };
  const counts = { inference_count: requests, execution_count: requests };
  return { model_stats: [{ name: "default", ...counts, inference_stats }] };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
