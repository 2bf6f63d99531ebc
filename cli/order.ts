// From the words of `deploy` to the order the hub takes: waves, start, thresholds, gate.
import { Option, type Command } from "commander";
import { CreateDeploymentRequest, GroupName, ModelName, VersionId } from "@context-edge/protocol";
import { z } from "zod";
import { wrongUse } from "./exits.ts";
import { Reason } from "./names.ts";
import { read } from "./plain-words.ts";
import { parseAmount, parseDuration, parseWave } from "./quantities.ts";

/** For options that may be given several times. */
export const collect = (one: string, all: string[] | undefined): string[] => [...(all ?? []), one];

const Duration = z.string().transform(parseDuration);
const Amount = z.string().transform(parseAmount);

export const OrderOptions = z.object({
  group: z.array(GroupName).default([]),
  all: z.boolean().default(false),
  version: VersionId,
  model: ModelName.optional(),
  reason: Reason.optional(),
  override: Reason.optional(),
  waves: z
    .string()
    .transform((text) => text.split(",").map((part) => parseWave(part.trim())))
    .optional(),
  together: z.boolean().default(false),
  startAt: z.string().transform(parseStart).optional(),
  promote: z.enum(["by-hand", "automatic"]).optional(),
  onFail: z.enum(["halt", "roll-back"]).optional(),
  maxBad: Amount.optional(),
  soak: Duration.optional(),
  draft: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});
export type OrderOptions = z.infer<typeof OrderOptions>;

export function withOrderOptions(command: Command): Command {
  return command
    .option("-g, --group <group>", "a group; several move one after the other", collect)
    .option("--all", "all groups, once the pilot's gate has passed")
    .requiredOption("-v, --version <version>", "the version to deploy")
    .option("-m, --model <model>", "the model, when it is not the default one")
    .option("-r, --reason <text>", "why; kept in the history")
    .option("--override <reason>", "with --all: go on although the gate has not passed; the reason is kept")
    .option("--waves <sizes>", "shares or counts of each group that move together: 10%,50%,100% or 1,5,100%")
    .option("--together", "every group moves with each wave")
    .option("--start-at <time>", "when to begin, RFC 3339: 2026-02-01T22:00:00Z")
    .addOption(new Option("--promote <how>", "who takes the next wave").choices(["by-hand", "automatic"]))
    .addOption(new Option("--on-fail <what>", "what becomes of a failing wave").choices(["halt", "roll-back"]))
    .option("--max-bad <n>", "failures before it halts: a count, or a share like 5%")
    .option("--soak <duration>", "how long each wave is watched: 30m, 24h")
    .option("--draft", "only prepare it")
    .option("--dry-run", "say what would happen; change nothing");
}

/** Whether only the newer way of making deployments can say this. */
export function needsPlan(options: OrderOptions): boolean {
  const { group, waves, together, startAt, promote, onFail, maxBad, soak, draft } = options;
  return (
    group.length > 1 ||
    together ||
    draft ||
    [waves, startAt, promote, onFail, maxBad, soak].some((one) => one !== undefined)
  );
}

/** The body of `POST /api/v1/deployments`. */
export function orderOf(options: OrderOptions, groups: readonly string[]): object {
  const { model, version, reason, waves, together, startAt, promote, onFail, maxBad, soak, draft } = options;
  return {
    version,
    groups,
    ...(model === undefined ? {} : { model }),
    ...(reason === undefined ? {} : { reason }),
    ...(waves === undefined ? {} : { waves }),
    ...(together ? { together } : {}),
    ...(startAt === undefined ? {} : { start_at: startAt }),
    ...(promote === undefined ? {} : { promote }),
    ...(onFail === undefined ? {} : { on_fail: onFail }),
    ...(maxBad === undefined ? {} : { max_bad: maxBad }),
    ...(soak === undefined ? {} : { gate: { soak_seconds: soak } }),
    ...(draft ? { draft } : {}),
  };
}

export function checkOrder(options: OrderOptions): void {
  const { group, all, override, dryRun } = options;
  if (all === group.length > 0) throw wrongUse("Name the groups with --group, or all of them with --all.");
  if (all && needsPlan(options) && !dryRun) {
    throw wrongUse(
      "--all goes to every group at once.",
      "For waves, name the groups: --group a --group b --waves 10%,100%.",
    );
  }
  if (override !== undefined && !all) throw wrongUse("--override belongs to --all.");
  if (override !== undefined && override.trim().length < 3) throw wrongUse("--override needs a reason of a few words.");
  if (!all) checkPlan(options);
}

/** By the hub's own schema: what it would refuse is refused before it is asked. */
function checkPlan(options: OrderOptions): void {
  const parsed = read(CreateDeploymentRequest, orderOf(options, options.group));
  if (parsed.ok) return;
  const [field = ""] = parsed.where;
  throw wrongUse(`${FLAGS[String(field)] ?? String(field)}: ${parsed.wrong}.`);
}

const FLAGS: Readonly<Record<string, string>> = {
  groups: "--group",
  waves: "--waves",
  start_at: "--start-at",
  max_bad: "--max-bad",
  gate: "--soak",
  reason: "--reason",
};

/** Only with a zone: "22:00" on a CI machine is not 22:00 in the factory. */
function parseStart(text: string): string {
  const parsed = z.iso.datetime({ offset: true }).safeParse(text);
  if (!parsed.success) throw wrongUse(`"${text}" is no time.`, "Write it like 2026-02-01T22:00:00Z or …+01:00.");
  return new Date(parsed.data).toISOString();
}
