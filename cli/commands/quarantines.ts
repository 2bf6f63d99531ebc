// `quarantines`: what no device may install any more, putting a version out, and letting it in again.
import type { Command } from "commander";
import { Digest, ModelName, VersionId } from "@context-edge/protocol";
import { z } from "zod";
import { Quarantine, QuarantinedReply, Version } from "../answers.ts";
import { act, examples, modelPath, type Desk, type World } from "../desk.ts";
import { EXIT, Failure, wrongUse } from "../exits.ts";
import type { HubClient } from "../hub-client.ts";
import { FullReason } from "../names.ts";
import { read } from "../plain-words.ts";

export function addQuarantines(program: Command, world: World): void {
  const group = program
    .command("quarantines")
    .description("files that no device may install: list, add, lift")
    .option("--all", "also those that were lifted");
  act(group, world, z.object({ all: z.boolean().default(false) }), list);
  examples(group, "context-edge quarantines", "context-edge quarantines --all --json");

  const add = group
    .command("add")
    .argument("<version>", "the version")
    .description("put a version out of use for the whole fleet")
    .option("-m, --model <model>", "the model, when it is not the default one")
    .requiredOption("-r, --reason <text>", "why; kept in the history");
  act(add, world, ChangeOptions, async ({ hub, out }, { model, reason }, [version = ""]) => {
    const reply = await hub().send(QuarantinedReply, "POST", "api/v1/quarantines", { model, version, reason });
    out.result(reply, [`${version} is quarantined: no device installs it any more.`]);
  });
  examples(add, 'context-edge quarantines add v2.1 --reason "false alarms on line-a"');

  const lift = group
    .command("lift")
    .argument("<version-or-digest>", "the version, or one of its files")
    .description("let a version be installed again (admins)")
    .option("-m, --model <model>", "the model, when it is not the default one")
    .requiredOption("-r, --reason <text>", "why; kept in the history");
  act(lift, world, ChangeOptions, liftQuarantine);
  examples(lift, 'context-edge quarantines lift v2.1 --reason "it was the cable"');
}

const ChangeOptions = z.object({ model: ModelName.default("default"), reason: FullReason });

async function list({ hub, out }: Desk, { all }: { all: boolean }): Promise<void> {
  const found = await hub().all(Quarantine, "api/v1/quarantines");
  const shown = all ? found : found.filter(isInForce);
  const rows = shown.map((one) => [
    one.version,
    one.model,
    one.digest.slice(0, 12),
    out.when(one.at),
    one.by,
    one.lifted_at ? `lifted ${out.when(one.lifted_at)} by ${one.lifted_by}: ${one.lift_reason}` : one.reason,
  ]);
  const lines = out.table(["VERSION", "MODEL", "DIGEST", "SINCE", "BY", "WHY"], rows);
  out.result(shown, shown.length > 0 ? lines : ["Nothing is quarantined."]);
}

const isInForce = ({ lifted_at }: Quarantine) => (lifted_at ?? null) === null;

/** Of a version every file, since it stays out while one of them is; the hub may list those under another version with the same bytes. */
async function liftQuarantine(
  desk: Desk,
  { model, reason }: z.infer<typeof ChangeOptions>,
  [named = ""]: readonly string[],
): Promise<void> {
  const hub = desk.hub();
  const digests = Digest.safeParse(named).success ? [named] : await filesOf(hub, model, named);
  const all = await hub.all(Quarantine, "api/v1/quarantines");
  const meant = all.filter((one) => isInForce(one) && digests.includes(one.digest));
  if (meant.length === 0) {
    throw new Failure(EXIT.refused, `${named} is not quarantined.`, {
      code: "NOT_FOUND",
      nextStep: "See what is: context-edge quarantines",
    });
  }
  const lifted: Quarantine[] = [];
  for (const { digest } of meant) {
    lifted.push(await hub.send(Quarantine, "POST", `api/v1/quarantines/${digest}/lift`, { reason }));
  }
  desk.out.result({ items: lifted }, [`The quarantine of ${named} is lifted.`]);
}

async function filesOf(hub: HubClient, model: string, named: string): Promise<string[]> {
  const version = read(VersionId, named);
  if (!version.ok) throw wrongUse(`"${named}" is no version: ${version.wrong}.`);
  const { variants } = await hub.get(Version, `${modelPath(model)}/${encodeURIComponent(version.value)}`);
  return variants.map(({ digest }) => digest);
}
