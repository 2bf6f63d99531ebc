// A real hub for a story: its own clock, devices put there, versions registered with what their training really sent.
import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildApp } from "@context-edge/hub/app.ts";
import { readConfig } from "@context-edge/hub/config.ts";
import { openHub, type Hub } from "@context-edge/hub/hub.ts";
import { putDevices } from "@context-edge/hub/testing/many-devices.ts";
import {
  Golden,
  seal,
  signingKeyFromSeed,
  STATEMENT_PAYLOAD_TYPE,
  type Platform,
  type Statement,
  type TrainingMetrics,
} from "@context-edge/protocol";
import { MODELS_DIR } from "../../../demo/seed.ts";
import { startStory, type StoryClock } from "./clock.ts";

export interface StoryHub {
  hub: Hub;
  app: Awaited<ReturnType<typeof buildApp>>;
  clock: StoryClock;
  url: string;
  call: (method: "GET" | "POST" | "PUT" | "PATCH", url: string, payload?: object) => Promise<Record<string, unknown>>;
  /** Registers a version with the figures of one of the demo's trained models. @returns the digest of each variant. */
  register(version: string, like: string, platforms: readonly Platform[], accuracy?: number): Promise<string[]>;
  enrol(ids: readonly string[], group: string): Promise<void>;
  close(): Promise<void>;
}

interface TrainingReport {
  accuracy: number;
  training_samples: number;
  metrics: TrainingMetrics;
}

export async function openStoryHub(beforeMs: number, env: Record<string, string> = {}): Promise<StoryHub> {
  const dir = mkdtempSync(join(tmpdir(), "context-edge-showcase-"));
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  writeFileSync(join(dir, "release.pub.pem"), publicKey.export({ type: "spki", format: "pem" }));
  writeFileSync(join(dir, "join"), "join-token-of-a-showcase");
  const releaseKey = signingKeyFromSeed(Buffer.from(privateKey.export({ format: "jwk" }).d ?? "", "base64url"));
  const configured = readConfig({
    HUB_DATA: join(dir, "data"),
    HUB_JOIN_TOKEN_FILE: join(dir, "join"),
    HUB_RELEASE_KEYS: join(dir, "release.pub.pem"),
    HUB_LOG_LEVEL: "silent",
    HUB_PORT: "0",
    ...env,
  });
  if (!configured.ok) throw new Error(configured.reason);
  const clock = startStory(beforeMs);
  const hub = await openHub(configured.config, () => clock.now());
  const app = await buildApp(hub);
  const url = await app.listen({ host: "127.0.0.1", port: configured.config.port });
  let release = 0;

  const call: StoryHub["call"] = async (method, path, payload) => {
    const answer = await app.inject({ method, url: path, ...(payload === undefined ? {} : { payload }) });
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.body}`);
    return answer.json();
  };

  return {
    hub,
    app,
    clock,
    url,
    call,
    async register(version, like, platforms, accuracy) {
      const read = (name: string): unknown => JSON.parse(readFileSync(join(MODELS_DIR, like, name), "utf8"));
      const training = read("metrics.json") as TrainingReport;
      const model = readFileSync(join(MODELS_DIR, like, "model.onnx"));
      const variants: Statement["variants"] = [];
      for (const [index, platform] of platforms.entries()) {
        const bytes = Buffer.concat([model, Buffer.from(`${version}/${index}`)]);
        const digest = createHash("sha256").update(bytes).digest("hex");
        const headers = { "content-type": "application/octet-stream" };
        await app.inject({ method: "PUT", url: `/mlops/artifacts/${digest}`, headers, payload: bytes });
        variants.push({
          digest,
          size_bytes: bytes.length,
          format: Object.keys(platform).length > 0 ? "trt" : "onnx",
          platform,
        });
      }
      release += 1;
      const created_at = new Date(clock.now()).toISOString();
      const statement: Statement = {
        schema: 1,
        model: "default",
        version,
        release,
        created_at,
        variants,
        golden: Golden.parse(read("golden.json")),
      };
      await call("POST", "/mlops/models/register", {
        version_id: version,
        accuracy: accuracy ?? training.accuracy,
        model_path: `artifact://${variants[0]?.digest ?? ""}`,
        training_samples: training.training_samples,
        training_date: created_at,
        metrics: training.metrics,
        statement: seal(STATEMENT_PAYLOAD_TYPE, statement, releaseKey),
      });
      return variants.map(({ digest }) => digest);
    },
    async enrol(ids, group) {
      await putDevices(hub.store, ids, group);
      hub.memory.reload();
    },
    async close() {
      await app.close();
      await hub.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
