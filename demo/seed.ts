// What a training job and an engineer would have done before a newcomer arrives: five versions registered, v2.0 running everywhere.
import { createHash } from "node:crypto";
import { readFile, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  Golden,
  seal,
  STATEMENT_PAYLOAD_TYPE,
  TrainingMetrics,
  type SigningKey,
  type Statement,
} from "@context-edge/protocol";
import { z } from "zod";
import type { HubApi } from "./hub-api.ts";

export const MODELS_DIR = join(dirname(fileURLToPath(import.meta.url)), "models");
const VERSIONS = ["v2.0", "v2.1", "v2.2", "v2.3", "v2.4"];
const FIRST_VERSION = "v2.0";
/** The hub's copy of this one is cut short once it is registered, as a failing disk might. */
const DAMAGED_VERSION = "v2.4";

/** `metrics.json` as the training run writes it. */
const TrainingReport = z.object({
  version_id: z.string(),
  accuracy: z.number(),
  training_samples: z.number().int(),
  training_date: z.string(),
  metrics: TrainingMetrics,
});

/** @param hubDir the hub's data directory, for damaging one artifact in it. Repeating a seed changes nothing. */
export async function seedHub(hub: HubApi, releaseKey: SigningKey, hubDir: string): Promise<void> {
  const known = new Set((await hub.versions()).map((version) => version.version_id));
  if (VERSIONS.every((version) => known.has(version))) return;
  for (const [index, version] of VERSIONS.entries()) {
    const digest = await registerVersion(hub, releaseKey, version, index + 1);
    if (version === DAMAGED_VERSION) await cutShort(artifactPath(hubDir, digest));
  }
  await hub.deployToAll(FIRST_VERSION, "First start of the demo: the fleet needs something to run");
}

/** @returns the file's digest */
export async function registerVersion(
  hub: HubApi,
  releaseKey: SigningKey,
  version: string,
  release: number,
): Promise<string> {
  const file = join(MODELS_DIR, version, "model.onnx");
  const bytes = await readFile(file);
  const digest = createHash("sha256").update(bytes).digest("hex");
  const report = TrainingReport.parse(await readJson(version, "metrics.json"));
  const statement: Statement = {
    schema: 1,
    model: "default",
    version,
    release,
    created_at: report.training_date,
    variants: [{ digest, size_bytes: bytes.length, format: "onnx", platform: {} }],
    golden: Golden.parse(await readJson(version, "golden.json")),
  };
  await hub.upload(digest, file);
  await hub.register({
    version_id: version,
    accuracy: report.accuracy,
    model_path: `artifact://${digest}`,
    training_samples: report.training_samples,
    training_date: report.training_date,
    metrics: report.metrics,
    statement: seal(STATEMENT_PAYLOAD_TYPE, statement, releaseKey),
  });
  return digest;
}

async function readJson(version: string, name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(MODELS_DIR, version, name), "utf8"));
}

function artifactPath(hubDir: string, digest: string): string {
  return join(hubDir, "artifacts", digest.slice(0, 2), digest);
}

async function cutShort(file: string): Promise<void> {
  const { length } = await readFile(file);
  await truncate(file, Math.floor(length / 2));
}
