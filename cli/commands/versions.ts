// `versions`, `approve`, `reject` and `audit`: what there is, and what was decided.
import { BuildRecipe, recipeWords } from "@context-edge/protocol";
import { InvalidArgumentError, type Command } from "commander";
import { z } from "zod";
import { Event, ReviewReply, Version } from "../answers.ts";
import { act, examples, modelPath, type Desk, type World } from "../desk.ts";
import { percentWords, relativeTime, sizeWords } from "../quantities.ts";
import { stageTone } from "./tones.ts";

const VersionOptions = z.object({ model: z.string().default("default"), stage: z.string().optional() });

export function addVersions(program: Command, world: World): void {
  const versions = program
    .command("versions")
    .argument("[version]", "only this one, in full")
    .description("versions of a model")
    .option("-m, --model <name>", "the model, when it is not the default one")
    .option("--stage <stage>", "pending, approved, rejected, archived or quarantined");
  act(versions, world, VersionOptions, showVersions);
  examples(versions, "context-edge versions --stage pending", "context-edge versions v2.1");

  const approve = program
    .command("approve")
    .argument("<version>")
    .description("approve a pending version")
    .option("-m, --model <name>", "the model, when it is not the default one")
    .option("-r, --reason <text>", "why; kept in the history");
  act(approve, world, ReviewOptions, (desk, options, [version = ""]) => review(desk, "approve", version, options));
  examples(approve, "context-edge approve v2.1");

  const reject = program
    .command("reject")
    .argument("<version>")
    .description("reject a pending version")
    .option("-m, --model <name>", "the model, when it is not the default one")
    .requiredOption("-r, --reason <text>", "why; kept in the history");
  act(reject, world, ReviewOptions, (desk, options, [version = ""]) => review(desk, "reject", version, options));
  examples(reject, 'context-edge reject v2.1 --reason "trained on the wrong week"');
}

const ReviewOptions = z.object({ model: z.string().optional(), reason: z.string().optional() });

async function review(
  { hub, out }: Desk,
  verb: "approve" | "reject",
  version: string,
  { model, reason }: z.infer<typeof ReviewOptions>,
): Promise<void> {
  const path = `mlops/models/${encodeURIComponent(version)}/${verb}`;
  const reply = await hub().send(ReviewReply, "POST", path, { reason }, { model });
  out.result(reply, [reply.message]);
}

async function showVersions(
  { hub, out }: Desk,
  options: z.infer<typeof VersionOptions>,
  [id]: readonly string[],
): Promise<void> {
  if (id !== undefined) {
    const version = await hub().get(Version, `${modelPath(options.model)}/${encodeURIComponent(id)}`);
    return out.result(version, details(version, out.nowMs()));
  }
  const all = await hub().all(Version, modelPath(options.model));
  const shown = options.stage === undefined ? all : all.filter(({ stage }) => stage === options.stage);
  const rows = shown.map((one) => [
    one.version_id,
    out.tone(stageTone(one.stage), one.stage),
    percentWords(one.accuracy),
    deltaWords(one.accuracy_delta),
    String(one.running_on),
    sizeWords(one.size_bytes),
    one.signed_by === null ? out.tone("warn", "no") : "yes",
    relativeTime(one.registered_at, out.nowMs()),
  ]);
  const lines = out.table(["VERSION", "STAGE", "ACCURACY", "DELTA", "DEVICES", "SIZE", "SIGNED", "REGISTERED"], rows);
  out.result(shown, shown.length > 0 ? lines : ["No versions."]);
}

function deltaWords(delta: number | null | undefined): string {
  if (delta === null || delta === undefined) return "-";
  return `${delta > 0 ? "+" : ""}${(delta * 100).toFixed(1)}`;
}

function details(version: Version, nowMs: number): string[] {
  const { stage, decided_by, decided_at, decision_reason, signed_by } = version;
  return [
    `${version.version_id} of ${version.model}: ${stage}, on ${version.running_on} devices`,
    `accuracy ${percentWords(version.accuracy)} (${deltaWords(version.accuracy_delta)} points), ${version.training_samples} samples, ${version.training_date}`,
    `registered by ${version.registered_by} ${relativeTime(version.registered_at, nowMs)}`,
    ...(decided_by
      ? [`${stage} by ${decided_by} ${relativeTime(decided_at, nowMs)}${decision_reason ? `: ${decision_reason}` : ""}`]
      : []),
    signed_by === null ? "carries no signed statement: it cannot be deployed" : `signed by ${signed_by}`,
    ...version.variants.map(
      ({ digest, size_bytes, format, platform, build }) =>
        `  ${format} ${sizeWords(size_bytes)} sha256 ${digest} ${Object.keys(platform).length > 0 ? JSON.stringify(platform) : "any platform"}` +
        builtWords(build),
    ),
  ];
}

function builtWords(build: unknown): string {
  if (build === undefined) return "";
  const recipe = BuildRecipe.safeParse(build);
  return `, built on each device: ${recipe.success ? recipeWords(recipe.data) : "by a recipe this command line does not know"}`;
}

const AuditOptions = z.object({
  limit: z.number().default(50),
  all: z.boolean().default(false),
  grep: z.string().optional(),
});

export function addAudit(program: Command, world: World): void {
  const audit = program
    .command("audit")
    .description("who did what, the newest first")
    .option("-n, --limit <n>", "how many (default: 50)", parseCount)
    .option("--all", "the whole history")
    .option("--grep <text>", "only rows that hold this text");
  act(audit, world, AuditOptions, async ({ hub, out }, { limit, all, grep }) => {
    const client = hub();
    const wholeNeeded = all || grep !== undefined || limit > 1_000;
    const found = wholeNeeded
      ? await client.all(Event, "api/v1/audit")
      : (await client.get(z.looseObject({ items: z.array(Event) }), "api/v1/audit", { limit })).items;
    const matching = grep === undefined ? found : found.filter((event) => JSON.stringify(event).includes(grep));
    const shown = all ? matching : matching.slice(0, limit);
    const rows = shown.map(({ at, actor, kind, summary }) => [relativeTime(at, out.nowMs()), actor, kind, summary]);
    out.result(
      shown,
      shown.length > 0 ? out.table(["WHEN", "WHO", "WHAT", "SUMMARY"], rows) : ["Nothing happened yet."],
    );
  });
  examples(audit, "context-edge audit -n 20", "context-edge audit --grep v2.1 --all --json");
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("It is a number of rows, 1 or more.");
}
