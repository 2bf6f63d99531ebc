// From what `publish` was told to what the hub will be sent: read, signed and checked by the hub's own schemas before a byte leaves.
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Golden, RegisterRequest, TrainingMetrics, type Envelope, type Variant } from "@context-edge/protocol";
import { z } from "zod";
import type { PublishOptions } from "../commands/publish.ts";
import { wrongUse } from "../exits.ts";
import { read } from "../plain-words.ts";
import type { Environment } from "../settings.ts";
import { readRecipe, withRecipe } from "./recipe.ts";
import { readJson, readReleaseFile, type ReleaseFile } from "./release-file.ts";
import { loadReleaseKey, readStatement, signStatement } from "./signing.ts";

export interface Prepared {
  files: readonly ReleaseFile[];
  variants: readonly Variant[];
  /** Of the file that was named first. */
  sha256: string;
  registration: RegisterRequest;
  /** Of the key that signed here. */
  keyId: string | undefined;
  hasGolden: boolean;
  /** Not known from outside: the file's own time stands in, and proves nothing about being the same. */
  isDateGuessed: boolean;
}

/** As the training run writes it; a document of plain figures will do too. */
const TrainingReport = z.looseObject({
  version_id: z.string().optional(),
  accuracy: z.number().optional(),
  training_samples: z.number().optional(),
  training_date: z.string().optional(),
  metrics: z.record(z.string(), z.unknown()).optional(),
});

export async function prepare(spec: string, options: PublishOptions, environment: Environment): Promise<Prepared> {
  const { model, version, minimumRelease } = options;
  const signature = await signatureOf(options, environment);
  const golden = options.golden === undefined ? undefined : await readJson(options.golden, Golden);
  const recipe = options.build === undefined ? undefined : await readRecipe(options.build);
  const main = withRecipe(await readReleaseFile(spec, options.format), recipe);
  const files = [main];
  for (const other of options.variant) files.push(withRecipe(await readReleaseFile(other, options.format), recipe));
  if (recipe && !files.some(({ variant }) => variant.build))
    throw wrongUse("--build is for an ONNX file, and there is none.");
  const facts = await factsOf(options, main);
  const variants = signature.by === "elsewhere" ? signature.variants : files.map(({ variant }) => variant);
  for (const { file, variant } of files) {
    if (variants.some(({ digest }) => digest === variant.digest)) continue;
    throw wrongUse(
      `The statement does not name ${basename(file)} (sha256 ${variant.digest}).`,
      "Sign this file, or publish the signed one.",
    );
  }
  // Nothing of the moment goes into the statement: signed again, it is the same to the byte, and so is the registration.
  const createdAt = new Date(facts.date).toISOString();
  const release = options.release ?? Date.parse(createdAt);
  if (minimumRelease !== undefined && minimumRelease > release) {
    throw wrongUse(`--minimum-release ${minimumRelease} is above the version's own release, which is ${release}.`);
  }
  const statement =
    signature.by === "key"
      ? signStatement({ model, version, release, minimumRelease, createdAt, variants, golden }, signature.key)
      : signature.envelope;
  const registration = read(RegisterRequest, {
    version_id: version,
    model,
    accuracy: facts.accuracy,
    training_samples: facts.samples,
    training_date: facts.date,
    model_path: `artifact://${main.variant.digest}`,
    ...(facts.metrics === undefined ? {} : { metrics: facts.metrics }),
    ...(statement === undefined ? { variants } : { statement }),
  });
  if (!registration.ok)
    throw wrongUse(`The hub would not take this: ${registration.where.join(".")}: ${registration.wrong}.`);
  return {
    files,
    variants,
    sha256: main.variant.digest,
    registration: registration.value,
    keyId: signature.by === "key" ? signature.key.publicKey.id : undefined,
    hasGolden: signature.by === "elsewhere" ? signature.hasGolden : golden !== undefined,
    isDateGuessed: facts.isDateGuessed,
  };
}

type Signature =
  | { by: "key"; key: Awaited<ReturnType<typeof loadReleaseKey>> }
  | { by: "elsewhere"; envelope: Envelope; variants: readonly Variant[]; hasGolden: boolean }
  | { by: "nobody"; envelope: undefined };

/** A version never changes: registered without a signature by mistake, its name is used up. So that has to be said. */
async function signatureOf(options: PublishOptions, environment: Environment): Promise<Signature> {
  const { key, statement, unsigned, model, version } = options;
  if ([key !== undefined, statement !== undefined, unsigned].filter(Boolean).length > 1) {
    throw wrongUse("--key, --statement and --unsigned exclude each other.");
  }
  if (unsigned) return { by: "nobody", envelope: undefined };
  if (statement !== undefined) {
    if (options.golden !== undefined) throw wrongUse("--golden belongs to --key: a statement has its samples in it.");
    if (options.build !== undefined) throw wrongUse("--build belongs to --key: a statement has its recipes in it.");
    if (options.minimumRelease !== undefined)
      throw wrongUse("--minimum-release belongs to --key: a statement has its own.");
    const { envelope, statement: said } = await readStatement(statement);
    if (said.model !== model || said.version !== version) {
      throw wrongUse(`${statement} is about ${said.model} ${said.version}, not about ${model} ${version}.`);
    }
    return { by: "elsewhere", envelope, variants: said.variants, hasGolden: said.golden !== undefined };
  }
  const file = key ?? (environment["CONTEXT_EDGE_RELEASE_KEY_FILE"] || undefined);
  if (file !== undefined) return { by: "key", key: await loadReleaseKey(file) };
  throw wrongUse(
    `Who signs ${version}? Without a signature it could never be deployed, and its name would be used up.`,
    "Name the release key with --key FILE or CONTEXT_EDGE_RELEASE_KEY_FILE, or a --statement FILE. To register it all the same: --unsigned.",
  );
}

interface Facts {
  accuracy: number;
  samples: number;
  date: string;
  isDateGuessed: boolean;
  metrics: TrainingMetrics | undefined;
}

async function factsOf(options: PublishOptions, { file }: ReleaseFile): Promise<Facts> {
  const report = options.metrics === undefined ? undefined : await readJson(options.metrics, TrainingReport);
  if (report?.version_id !== undefined && report.version_id !== options.version) {
    throw wrongUse(`${options.metrics} is about ${report.version_id}, not about ${options.version}.`);
  }
  const accuracy = options.accuracy ?? report?.accuracy;
  if (accuracy === undefined) throw wrongUse("How accurate is it?", "--accuracy 0.97, or --metrics with an accuracy.");
  const date = options.trainingDate ?? report?.training_date;
  if (date !== undefined && Number.isNaN(Date.parse(date))) {
    throw wrongUse(`"${date}" is no training date.`, "Write it like 2026-01-31 or 2026-01-31T08:00:00Z.");
  }
  const metrics = report && read(TrainingMetrics, report.metrics ?? report);
  if (metrics && !metrics.ok) throw wrongUse(`${options.metrics}: ${metrics.where.join(".")}: ${metrics.wrong}.`);
  return {
    accuracy,
    samples: options.samples ?? report?.training_samples ?? 0,
    date: date ?? (await stat(file)).mtime.toISOString(),
    isDateGuessed: date === undefined,
    metrics: metrics?.value,
  };
}
