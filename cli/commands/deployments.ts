// `deployments`: list them, look at one, follow one, steer one.
import { Option, type Command } from "commander";
import { z } from "zod";
import { CLOSED_STATES, Deployment } from "../answers.ts";
import { act, examples, type Desk, type World } from "../desk.ts";
import { relativeTime } from "../quantities.ts";
import { findDeployment } from "./deploy.ts";
import { stateTone } from "./tones.ts";
import { conclude, conclusionOf, standing, WaitOptions, withFollowOptions, withWaitOptions } from "./waiting.ts";

const STEERING: Record<string, string> = {
  start: "begin a draft now",
  pause: "no further device begins",
  resume: "go on, accepting the failures so far",
  promote: "take the next wave, or the pilot to all groups",
  abort: "stop here; devices keep what they have",
  rollback: "restore what each group ran before",
  retry: "let the failed devices try again",
};

export function addDeployments(program: Command, world: World): void {
  const group = program.command("deployments").description("list, show, follow and steer deployments");
  const list = group
    .command("list", { isDefault: true })
    .description("the newest first")
    .option("-m, --model <name>", "of one model")
    .option("-v, --version <version>", "of one version")
    .option("--open", "only those that go on");
  act(list, world, ListOptions, listDeployments);

  const show = group.command("show").argument("<id>", "the deployment").description("one deployment and its gate");
  act(show, world, z.object({}), async ({ hub, out }, _options, [id = ""]) => {
    const deployment = await findDeployment(hub(), id);
    out.result(deployment, details(deployment, out.nowMs()));
  });

  const wait = group.command("wait").argument("<id>", "the deployment").description("follow one until it ends");
  act(withFollowOptions(wait, "finished"), world, WaitOptions, async (desk, options, [id = ""]) => {
    await conclusionOf(desk, desk.hub(), id, options, "finished");
  });

  for (const [action, description] of Object.entries(STEERING)) {
    const command = group
      .command(action)
      .argument("<id>", "the deployment")
      .description(description)
      .option("-r, --reason <text>", "why; kept in the history");
    if (action === "promote") {
      command
        .addOption(new Option("--to <point>", "the next wave, or all that are left").choices(["next", "end"]))
        .option("--override <reason>", "go on although the gate has not passed; the reason is kept");
    }
    withWaitOptions(command, "finished");
    act(command, world, SteerOptions, async (desk, options, [id = ""]) => {
      const { reason, to, override } = options;
      const hub = desk.hub();
      const path = `api/v1/deployments/${encodeURIComponent(id)}/${action}`;
      const body = { reason, to, ...(override === undefined ? {} : { override: { reason: override } }) };
      await conclude(desk, hub, await hub.send(Deployment, "POST", path, body), options, "finished");
    });
  }
  examples(
    group,
    "context-edge deployments --open",
    "context-edge deployments show dep-0mfabcd12-0123456789",
    'context-edge deployments pause dep-0mfabcd12-0123456789 --reason "line is down"',
    "context-edge deployments promote dep-0mfabcd12-0123456789 --wait",
  );
}

const SteerOptions = WaitOptions.extend({
  reason: z.string().optional(),
  to: z.enum(["next", "end"]).optional(),
  override: z.string().optional(),
});
const ListOptions = z.object({
  model: z.string().optional(),
  version: z.string().optional(),
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
    relativeTime(one.created_at, out.nowMs()),
    one.groups.join(", "),
  ]);
  const lines = out.table(["ID", "VERSION", "STATE", "DONE", "BEGUN", "GROUPS"], rows);
  out.result(shown, shown.length > 0 ? lines : ["No deployments."]);
}

function details(deployment: Deployment, nowMs: number): string[] {
  const { created_by, created_at, finished_at, reason, previous, gate } = deployment;
  const before = Object.entries(previous).map(([group, version]) => `${group}: ${version ?? "nothing"}`);
  return [
    ...standing(deployment),
    `  begun by ${created_by} ${relativeTime(created_at, nowMs)}${reason ? `: ${reason}` : ""}`,
    ...(finished_at ? [`  ended ${relativeTime(finished_at, nowMs)}`] : []),
    ...(before.length > 0 ? [`  before: ${before.join(", ")}`] : []),
    ...(gate ? [`  gate: ${gate.verdict}`] : []),
    ...(gate?.conditions ?? []).map(({ name, verdict, detail }) => `    ${name}: ${verdict}, ${detail}`),
  ];
}
