// `publish`: hash, upload, sign, register; the same call again changes nothing.
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { Golden, type Envelope } from "@context-edge/protocol";
import { z } from "zod";
import { RegisterReply, Version } from "../answers.ts";
import { act, examples, modelPath, type Desk, type World } from "../desk.ts";
import { EXIT, Failure, wrongUse } from "../exits.ts";
import type { HubClient } from "../hub-client.ts";
import { collect } from "../order.ts";
import { watchUpload } from "../progress-view.ts";
import { readRecipe, withRecipe } from "../publish/recipe.ts";
import { readJson, readReleaseFile, type ReleaseFile } from "../publish/release-file.ts";
import { loadReleaseKey, readStatement, signStatement } from "../publish/signing.ts";
import { uploadFile } from "../publish/upload.ts";

const PublishOptions = z.object({
  version: z.string(),
  model: z.string().default("default"),
  accuracy: z.number().min(0).max(1).optional(),
  key: z.string().optional(),
  statement: z.string().optional(),
  samples: z.number().optional(),
  trainingDate: z.string().optional(),
  metrics: z.string().optional(),
  golden: z.string().optional(),
  variant: z.array(z.string()).default([]),
  format: z.string().optional(),
  build: z.string().optional(),
  release: z.number().optional(),
  minimumRelease: z.number().optional(),
});
type PublishOptions = z.infer<typeof PublishOptions>;

/** As the training run writes it; a document of plain figures will do too. */
const TrainingReport = z.looseObject({
  version_id: z.string().optional(),
  accuracy: z.number().optional(),
  training_samples: z.number().optional(),
  training_date: z.string().optional(),
  metrics: z.record(z.string(), z.unknown()).optional(),
});

export function addPublish(program: Command, world: World): void {
  const command = program
    .command("publish")
    .argument("<file>", "the model file; FILE@platform.json says what it needs")
    .description("upload a model file, sign its statement and register the version")
    .requiredOption("-v, --version <version>", "the new version")
    .option("-m, --model <name>", "the model, when it is not the default one")
    .option("-a, --accuracy <fraction>", "0 to 1; else from --metrics", parseNumber)
    .option("-k, --key <file>", "the release key, Ed25519 in PKCS8 PEM (else CONTEXT_EDGE_RELEASE_KEY_FILE)")
    .option("--statement <file>", "a statement that was signed elsewhere, instead of --key")
    .option("--samples <n>", "training samples; else from --metrics", parseNumber)
    .option("--training-date <time>", "RFC 3339; else from --metrics, else the file's own time")
    .option("--metrics <file>", "metrics.json of the training run")
    .option("--golden <file>", "golden samples: inputs with known answers")
    .option("--variant <spec>", "one more file for another platform: FILE@platform.json", collect)
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
  const { out, streams, environment } = desk;
  const hub = desk.hub();
  const keyFile = options.key ?? (environment["CONTEXT_EDGE_RELEASE_KEY_FILE"] || undefined);
  if (options.key !== undefined && options.statement !== undefined) throw wrongUse("--key or --statement, not both.");
  // Everything that can be wrong on this side is found before the first byte is sent.
  const key = keyFile === undefined || options.statement !== undefined ? undefined : await loadReleaseKey(keyFile);
  const signed = options.statement === undefined ? undefined : await readStatement(options.statement);
  const golden = options.golden === undefined ? undefined : await readJson(options.golden, Golden);
  const recipe = options.build === undefined ? undefined : await readRecipe(options.build);
  const main = withRecipe(await readReleaseFile(spec, options.format), recipe);
  const files = [main];
  for (const other of options.variant) files.push(withRecipe(await readReleaseFile(other, options.format), recipe));
  if (recipe && !files.some(({ variant }) => variant.build))
    throw wrongUse("--build is for an ONNX file, and there is none.");
  const facts = await factsOf(options, main);
  const variants = signed?.statement.variants ?? files.map(({ variant }) => variant);
  for (const { file, variant } of files) {
    if (variants.some(({ digest }) => digest === variant.digest)) continue;
    throw wrongUse(
      `The statement does not name ${basename(file)} (sha256 ${variant.digest}).`,
      "Sign this file, or publish the signed one.",
    );
  }
  const existing = await find(hub, options);
  if (existing) return repeat(desk, existing, { ...facts, variants, keyId: key?.publicKey.id });

  if ((signed?.statement.golden ?? golden) === undefined) {
    out.note("warning: no golden samples; devices can time this version, but not check its answers (--golden FILE).");
  }
  const uploaded: string[] = [];
  for (const { file, variant } of distinct(files)) {
    const isNew = await uploadFile(hub, { file, variant }, watchUpload(streams.stderr, out, basename(file)));
    if (isNew) uploaded.push(variant.digest);
    else out.note(`${basename(file)}: the hub has it already.`);
  }
  // Nothing of the moment goes into the statement: signed again, it is the same to the byte, and so is the registration.
  const createdAt = new Date(facts.date).toISOString();
  const { model, version, minimumRelease, release = Date.parse(createdAt) } = options;
  const statement: Envelope | undefined =
    signed?.envelope ??
    (key && signStatement({ model, version, release, minimumRelease, createdAt, variants, golden }, key));
  const body = {
    version_id: options.version,
    model: options.model,
    accuracy: facts.accuracy,
    training_samples: facts.samples,
    training_date: facts.date,
    model_path: `artifact://${main.variant.digest}`,
    ...(facts.metrics === undefined ? {} : { metrics: facts.metrics }),
    ...(statement === undefined ? { variants } : { statement }),
  };
  const reply = await hub.send(RegisterReply, "POST", "mlops/models/register", body);
  for (const warning of reply.warnings) out.note(`warning: ${warning}`);
  out.result({ ...reply, uploaded }, [
    reply.message,
    `  sha256 ${main.variant.digest}`,
    `next: context-edge approve ${options.version}`,
  ]);
}

interface Facts {
  accuracy: number;
  samples: number;
  date: string;
  /** Not known from outside: the file's own time stands in, and proves nothing about being the same. */
  isDateGuessed: boolean;
  metrics: Record<string, unknown> | undefined;
}

async function factsOf(options: PublishOptions, { file }: ReleaseFile): Promise<Facts> {
  const report = options.metrics === undefined ? undefined : await readJson(options.metrics, TrainingReport);
  if (report?.version_id !== undefined && report.version_id !== options.version) {
    throw wrongUse(`${options.metrics} is about ${report.version_id}, not about ${options.version}.`);
  }
  const accuracy = options.accuracy ?? report?.accuracy;
  if (accuracy === undefined) throw wrongUse("How accurate is it?", "--accuracy 0.97, or --metrics with an accuracy.");
  const date = options.trainingDate ?? report?.training_date;
  if (date !== undefined && Number.isNaN(Date.parse(date))) throw wrongUse(`"${date}" is no training date.`);
  return {
    accuracy,
    samples: options.samples ?? report?.training_samples ?? 0,
    date: date ?? (await stat(file)).mtime.toISOString(),
    isDateGuessed: date === undefined,
    metrics: report === undefined ? undefined : (report.metrics ?? report),
  };
}

async function find(hub: HubClient, { model, version }: PublishOptions): Promise<Version | undefined> {
  try {
    return await hub.get(Version, `${modelPath(model)}/${encodeURIComponent(version)}`);
  } catch (error) {
    // A publisher's token may not read: then the hub itself says whether the version is new.
    const code = error instanceof Failure ? error.more.code : "";
    if (["VERSION_UNKNOWN", "NOT_FOUND", "FORBIDDEN"].includes(code)) return undefined;
    throw error;
  }
}

/** Judged by what it says: who publishes from a fresh checkout has other file times, and thus another statement. */
function repeat(
  desk: Desk,
  existing: Version,
  wanted: Facts & { variants: Version["variants"]; keyId: string | undefined },
): void {
  const differing = [
    canonical(existing.variants) === canonical(wanted.variants) ? "" : "files",
    existing.accuracy === wanted.accuracy ? "" : "accuracy",
    existing.training_samples === wanted.samples ? "" : "samples",
    wanted.isDateGuessed || existing.training_date === wanted.date ? "" : "training date",
    canonical(existing.metrics) === canonical(wanted.metrics ?? {}) ? "" : "metrics",
    wanted.keyId === undefined || existing.signed_by === wanted.keyId ? "" : "release key",
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

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It is a number.");
}
