// `publish`: hash, sign, upload, register; the same call again changes nothing.
import { basename } from "node:path";
import type { Command } from "commander";
import { Fraction, ModelName, Sequence, Variant, VersionId } from "@context-edge/protocol";
import { z } from "zod";
import { RegisterReply, Version } from "../answers.ts";
import { act, examples, modelPath, type Desk, type World } from "../desk.ts";
import { EXIT, Failure } from "../exits.ts";
import type { HubClient } from "../hub-client.ts";
import { collect } from "../order.ts";
import { watchUpload } from "../progress-view.ts";
import { prepare, type Prepared } from "../publish/prepare.ts";
import type { ReleaseFile } from "../publish/release-file.ts";
import { uploadFile } from "../publish/upload.ts";
import { parseNumber } from "../quantities.ts";

const PublishOptions = z.object({
  version: VersionId,
  model: ModelName.default("default"),
  accuracy: Fraction.optional(),
  key: z.string().optional(),
  statement: z.string().optional(),
  unsigned: z.boolean().default(false),
  samples: z.number().int().min(0).optional(),
  trainingDate: z.string().optional(),
  metrics: z.string().optional(),
  golden: z.string().optional(),
  variant: z.array(z.string()).default([]),
  format: Variant.shape.format.unwrap().optional(),
  build: z.string().optional(),
  release: Sequence.optional(),
  minimumRelease: Sequence.optional(),
});
export type PublishOptions = z.infer<typeof PublishOptions>;

export function addPublish(program: Command, world: World): void {
  const command = program
    .command("publish")
    .argument("<file>", "the model file; FILE@platform.json says what it needs")
    .description("upload a model file, sign its statement and register the version")
    .requiredOption("-v, --version <name>", "the new version")
    .option("-m, --model <name>", "the model, when it is not the default one")
    .option("-a, --accuracy <fraction>", "0 to 1; else from --metrics", parseNumber)
    .option("-k, --key <file>", "the release key, Ed25519 in PKCS8 PEM (else CONTEXT_EDGE_RELEASE_KEY_FILE)")
    .option("--statement <file>", "a statement that was signed elsewhere, instead of --key")
    .option("--unsigned", "register it without a signature; no hub but a development one can deploy it then")
    .option("--samples <n>", "training samples; else from --metrics", parseNumber)
    .option("--training-date <time>", "RFC 3339; else from --metrics, else the file's own time")
    .option("--metrics <file>", "metrics.json of the training run")
    .option("--golden <file>", "golden samples: inputs with known answers")
    .option("--variant <file>", "one more file for another platform: FILE@platform.json", collect)
    .option("--format <name>", "trt, engine, onnx; else from the file's name")
    .option("--build <recipe>", "devices build the engine from the ONNX file: fp16, fp16,bf16, fp32, or a JSON file")
    .option("--release <n>", "release number, must rise (default: from the training date)", parseNumber)
    .option("--minimum-release <n>", "devices that run this one never install a lower release again", parseNumber);
  act(command, world, PublishOptions, publish);
  examples(
    command,
    "context-edge publish model.trt@orin.json --version v2.1 --metrics metrics.json \\",
    "  --golden golden.json --key release.key.pem",
    "context-edge publish model.onnx --version v2.1 --accuracy 0.97 --key release.key.pem",
    "context-edge publish model.onnx@orin.json --build fp16 --version v2.1 --golden golden.json \\",
    "  --accuracy 0.97 --key release.key.pem",
    "context-edge publish orin.trt@orin.json --variant xavier.trt@xavier.json --version v2.1 \\",
    "  --accuracy 0.97 --statement statement.json",
  );
}

async function publish(desk: Desk, options: PublishOptions, [spec = ""]: readonly string[]): Promise<void> {
  const { out, environment } = desk;
  const hub = desk.hub();
  // Everything that can be wrong on this side is found before the first byte is sent.
  const prepared = await prepare(spec, options, environment);
  const existing = await find(hub, options);
  if (existing) return repeat(desk, existing, prepared);

  if (!prepared.hasGolden) {
    out.note("warning: no golden samples; devices can time this version, but not check its answers (--golden FILE).");
  }
  desk.ifStopped("Stopped. Nothing is registered; what was uploaded is kept, and the same command goes on from there.");
  const uploaded: string[] = [];
  for (const { file, variant } of distinct(prepared.files)) {
    const isNew = await uploadFile(hub, { file, variant }, watchUpload(desk, basename(file)));
    if (isNew) uploaded.push(variant.digest);
    else out.note(`${basename(file)}: the hub has it already.`);
  }
  desk.ifStopped("Stopped. Whether it is registered is not known; the same command again does no harm.");
  const reply = await hub
    .send(RegisterReply, "POST", "mlops/models/register", prepared.registration)
    .catch(notWrongUse);
  for (const warning of reply.warnings) out.note(`warning: ${warning}`);
  out.result({ ...reply, uploaded }, [
    reply.message,
    `  sha256 ${prepared.sha256}`,
    `next: context-edge approve ${options.version}`,
  ]);
}

/** What this side did not find wrong and the hub does: by now a file was sent, and "wrong use" means that nothing was. */
function notWrongUse(error: unknown): never {
  if (!(error instanceof Failure) || error.exit !== EXIT.wrongUse) throw error;
  throw new Failure(EXIT.refused, error.message, error.more);
}

async function find(hub: HubClient, { model, version }: PublishOptions): Promise<Version | undefined> {
  try {
    return await hub.get(Version, `${modelPath(model)}/${encodeURIComponent(version)}`);
  } catch (error) {
    // A publisher's token may not read on every hub: then the hub itself says whether the version is new.
    const code = error instanceof Failure ? error.more.code : "";
    if (["VERSION_UNKNOWN", "NOT_FOUND", "FORBIDDEN"].includes(code)) return undefined;
    throw error;
  }
}

/** Judged by what it says: who publishes from a fresh checkout has other file times, and thus another statement. */
function repeat(desk: Desk, existing: Version, { registration: wanted, ...prepared }: Prepared): void {
  const differing = [
    canonical(existing.variants) === canonical(prepared.variants) ? "" : "files",
    existing.accuracy === wanted.accuracy ? "" : "accuracy",
    existing.training_samples === wanted.training_samples ? "" : "samples",
    prepared.isDateGuessed || existing.training_date === wanted.training_date ? "" : "training date",
    canonical(existing.metrics) === canonical(wanted.metrics ?? {}) ? "" : "metrics",
    prepared.keyId === undefined || existing.signed_by === prepared.keyId ? "" : "release key",
  ].filter(Boolean);
  if (differing.length > 0) {
    throw new Failure(
      EXIT.refused,
      `${existing.version_id} was registered before with other content: ${differing.join(", ")}.`,
      {
        code: "VERSION_CONFLICT",
        nextStep: "A version never changes: publish this under a new version.",
      },
    );
  }
  desk.out.result({ ...existing, message: "registered before", warnings: [], uploaded: [] }, [
    `${existing.version_id} was registered before, with the same content; it is ${existing.stage}.`,
  ]);
}

const distinct = (files: readonly ReleaseFile[]) => [
  ...new Map(files.map((one) => [one.variant.digest, one])).values(),
];

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
