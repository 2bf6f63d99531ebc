// `versions`, `approve`, `reject`, `archive` and `unarchive`: what there is, and what is decided about it.
import { Option, type Command } from "commander";
import { BuildRecipe, ModelName, recipeWords, Stage } from "@context-edge/protocol";
import { z } from "zod";
import { ReviewReply, Version } from "../answers.ts";
import { act, examples, modelPath, type Desk, type World } from "../desk.ts";
import { Reason } from "../names.ts";
import type { Output } from "../output.ts";
import { percentWords, sizeWords } from "../quantities.ts";
import { stageTone } from "./tones.ts";

const VersionOptions = z.object({ model: ModelName.default("default"), stage: Stage.optional() });

export function addVersions(program: Command, world: World): void {
  const versions = program
    .command("versions")
    .argument("[version]", "only this one, in full")
    .description("versions of a model")
    .option("-m, --model <model>", "the model, when it is not the default one")
    .addOption(new Option("--stage <stage>", "only those at this stage").choices(Stage.options));
  act(versions, world, VersionOptions, showVersions);
  examples(versions, "context-edge versions --stage pending", "context-edge versions v2.1");

  const decision = (verb: string, argument: string, description: string): Command =>
    program
      .command(verb)
      .argument("<version>", argument)
      .description(description)
      .option("-m, --model <model>", "the model, when it is not the default one");
  const [reason, why] = ["-r, --reason <text>", "why; kept in the history"];

  const approve = decision("approve", "one that waits for review", "approve a pending version").option(reason, why);
  act(approve, world, ReviewOptions, (desk, options, [version = ""]) => review(desk, "approve", version, options));
  examples(approve, "context-edge approve v2.1");

  const reject = decision("reject", "one that waits for review", "reject a pending version");
  reject.requiredOption(reason, why);
  act(reject, world, ReviewOptions, (desk, options, [version = ""]) => review(desk, "reject", version, options));
  examples(reject, 'context-edge reject v2.1 --reason "trained on the wrong week"');

  const unneeded = "one that was approved or rejected, and that nobody needs";
  const archive = decision("archive", unneeded, "archive a version; its files may be removed").option(reason, why);
  act(archive, world, ReviewOptions, (desk, options, [version = ""]) => shelve(desk, "archive", version, options));
  examples(archive, 'context-edge archive v1.3 --reason "replaced long ago"');

  const unarchive = decision("unarchive", "one that was archived", "have an archived version reviewed again");
  unarchive.option(reason, why);
  act(unarchive, world, ReviewOptions, (desk, options, [version = ""]) => shelve(desk, "unarchive", version, options));
  examples(unarchive, "context-edge unarchive v1.3");
}

async function shelve(
  desk: Desk,
  verb: "archive" | "unarchive",
  version: string,
  { model = "default", reason }: z.infer<typeof ReviewOptions>,
): Promise<void> {
  const path = `${modelPath(model)}/${encodeURIComponent(version)}/${verb}`;
  const shown = await desk.hub().send(Version, "POST", path, { reason });
  const words = verb === "archive" ? "is archived" : "waits for review again";
  desk.out.result(shown, [`${version} ${words}.`]);
}

const ReviewOptions = z.object({ model: ModelName.optional(), reason: Reason.optional() });

async function review(
  desk: Desk,
  verb: "approve" | "reject",
  version: string,
  { model, reason }: z.infer<typeof ReviewOptions>,
): Promise<void> {
  const hub = desk.hub();
  const before = await hub.get(Version, `${modelPath(model ?? "default")}/${encodeURIComponent(version)}`);
  const path = `mlops/models/${encodeURIComponent(version)}/${verb}`;
  const reply = await hub.send(ReviewReply, "POST", path, { reason }, { model });
  // The hub takes the same decision twice, and keeps the first one's reason.
  const message = before.stage === reply.status ? alreadyDecided(desk.out, before) : reply.message;
  desk.out.result({ ...reply, message }, [message]);
}

function alreadyDecided({ when }: Output, version: Version): string {
  const { version_id: id, stage, decided_by: by, decided_at: at, decision_reason: reason } = version;
  const who = by ? `, by ${by} ${when(at)}` : "";
  return `${id} is ${stage} already${who}${reason ? `: ${reason}` : ""}. Nothing was changed: the reason stays as it is.`;
}

async function showVersions(
  { hub, out }: Desk,
  { model, stage }: z.infer<typeof VersionOptions>,
  [id]: readonly string[],
): Promise<void> {
  if (id !== undefined) {
    const version = await hub().get(Version, `${modelPath(model)}/${encodeURIComponent(id)}`);
    return out.result(version, details(version, out));
  }
  const shown = await hub().all(Version, modelPath(model), { stage });
  const rows = shown.map((one) => [
    one.version_id,
    out.tone(stageTone(one.stage), one.stage),
    percentWords(one.accuracy),
    deltaWords(one.accuracy_delta),
    String(one.running_on),
    sizeWords(one.size_bytes),
    one.signed_by === null ? out.tone("warn", "no") : "yes",
    out.when(one.registered_at),
  ]);
  const lines = out.table(["VERSION", "STAGE", "ACCURACY", "DELTA", "DEVICES", "SIZE", "SIGNED", "REGISTERED"], rows);
  out.result(shown, shown.length > 0 ? lines : ["No versions."]);
}

function deltaWords(delta: number | null | undefined): string {
  if (delta === null || delta === undefined) return "-";
  return `${delta > 0 ? "+" : ""}${(delta * 100).toFixed(1)}`;
}

function details(version: Version, { when }: Output): string[] {
  const { stage, decided_by, decided_at, decision_reason, signed_by } = version;
  return [
    `${version.version_id} of ${version.model}: ${stage}, on ${version.running_on} devices`,
    `accuracy ${percentWords(version.accuracy)} (${deltaWords(version.accuracy_delta)} points), ${version.training_samples} samples, ${version.training_date}`,
    `registered by ${version.registered_by} ${when(version.registered_at)}`,
    ...(decided_by
      ? [`${stage} by ${decided_by} ${when(decided_at)}${decision_reason ? `: ${decision_reason}` : ""}`]
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
