// `deployments`: list them, look at one, follow one, steer one.
import { Option, type Command } from "commander";
import { ModelName, VersionId } from "@context-edge/protocol";
import { z } from "zod";
import { CLOSED_STATES, Deployment } from "../answers.ts";
import { act, examples, type Desk, type World } from "../desk.ts";
import type { Output } from "../output.ts";
import { lookAt, UNTIL } from "../follow.ts";
import { Reason } from "../names.ts";
import { lookAtRollback } from "../restoring.ts";
import { findDeployment } from "./deploy.ts";
import { rollBackDeployment } from "./rollback.ts";
import { stateTone } from "./tones.ts";
import { conclude, conclusionOf, standing, WaitOptions, withFollowOptions, withWaitOptions } from "./waiting.ts";

const EXAMPLE = "dep-0mfabcd12-0123456789";
const STEERING: Record<string, { does: string; example: string }> = {
  start: { does: "begin a draft now", example: "" },
  pause: { does: "no further device begins", example: ' --reason "line is down"' },
  resume: { does: "go on, accepting the failures so far", example: ' --reason "d3 is being repaired"' },
  promote: { does: "take the next wave, or the pilot to all groups", example: " --to end --wait" },
  abort: { does: "stop here; devices keep what they have", example: ' --reason "wrong version"' },
  rollback: { does: "restore what each group ran before", example: ' --reason "false alarms" --wait' },
  retry: { does: "let the failed devices try again", example: " --wait" },
};

export function addDeployments(program: Command, world: World): void {
  const group = program.command("deployments").description("list, show, follow and steer deployments");
  for (const list of [group, group.command("list").description("the newest first")]) {
    list
      .option("-m, --model <model>", "of one model")
      .option("-v, --version <version>", "of one version")
      .option("--open", "only those that go on");
    act(list, world, ListOptions, listDeployments);
    examples(list, "context-edge deployments --open", "context-edge deployments list --version v2.1 --json");
  }

  const show = group.command("show").argument("<deployment>", "its id").description("one deployment and its gate");
  act(show, world, z.object({}), async ({ hub, out }, _options, [id = ""]) => {
    const deployment = await findDeployment(hub(), id);
    out.result(deployment, details(deployment, out));
  });
  examples(show, `context-edge deployments show ${EXAMPLE}`);

  const wait = group.command("wait").argument("<deployment>", "its id").description("follow one until it ends");
  act(withFollowOptions(wait, "finished", UNTIL), world, WaitOptions, async (desk, options, [id = ""]) => {
    const hub = desk.hub();
    const until = options.until ?? "finished";
    const look = until === "rolled-back" ? await lookAtRollback(hub, id) : null;
    await conclusionOf(desk, hub, look ?? lookAt(hub, id), options, until);
  });
  examples(wait, `context-edge deployments wait ${EXAMPLE} --until approval --timeout 25h`);

  for (const [action, { does, example }] of Object.entries(STEERING)) {
    const command = group
      .command(action)
      .argument("<deployment>", "its id")
      .description(does)
      .option("-r, --reason <text>", "why; kept in the history");
    if (action === "promote") {
      command
        .addOption(new Option("--to <point>", "the next wave, or all that are left").choices(["next", "end"]))
        .option("--override <reason>", "go on although the gate has not passed; the reason is kept");
    }
    withWaitOptions(command, "finished");
    examples(command, `context-edge deployments ${action} ${EXAMPLE}${example}`);
    act(command, world, SteerOptions, async (desk, options, [id = ""]) => {
      if (action === "rollback") return rollBackDeployment(desk, id, options);
      const { reason, to, override } = options;
      const hub = desk.hub();
      const path = `api/v1/deployments/${encodeURIComponent(id)}/${action}`;
      const body = { reason, to, ...(override === undefined ? {} : { override: { reason: override } }) };
      await conclude(desk, hub, await hub.send(Deployment, "POST", path, body), options, "finished");
    });
  }
}

const SteerOptions = WaitOptions.extend({
  reason: Reason.optional(),
  to: z.enum(["next", "end"]).optional(),
  override: z.string().trim().min(3).max(1_000).optional(),
});
const ListOptions = z.object({
  model: ModelName.optional(),
  version: VersionId.optional(),
  open: z.boolean().default(false),
});

async function listDeployments(
  { hub, out }: Desk,
  { model, version, open }: z.infer<typeof ListOptions>,
): Promise<void> {
  const all = await hub().all(Deployment, "api/v1/deployments", { model, version });
  const shown = open ? all.filter(({ state }) => !CLOSED_STATES.includes(state)) : all;
  const rows = shown.map((one) => [
    one.id,
    one.version,
    out.tone(stateTone(one.state), one.state),
    `${one.progress.committed}/${one.progress.total}`,
    out.when(one.created_at),
    one.groups.join(", "),
  ]);
  const lines = out.table(["ID", "VERSION", "STATE", "DONE", "BEGUN", "GROUPS"], rows);
  out.result(shown, shown.length > 0 ? lines : ["No deployments."]);
}

function details(deployment: Deployment, { when }: Output): string[] {
  const { created_by, created_at, finished_at, reason, previous, gate } = deployment;
  const before = Object.entries(previous).map(([group, version]) => `${group}: ${version ?? "nothing"}`);
  return [
    ...standing(deployment),
    `  begun by ${created_by} ${when(created_at)}${reason ? `: ${reason}` : ""}`,
    ...(finished_at ? [`  ended ${when(finished_at)}`] : []),
    ...(before.length > 0 ? [`  before: ${before.join(", ")}`] : []),
    ...(gate ? [`  gate: ${gate.verdict}`] : []),
    ...(gate?.conditions ?? []).map(({ name, verdict, detail }) => `    ${name}: ${verdict}, ${detail}`),
  ];
}
