// `deploy` and `pilot`: put a version on groups, on all of them, or on a few devices first.
import type { Command } from "commander";
import { DeviceId, ModelName, VersionId } from "@context-edge/protocol";
import { z } from "zod";
import { Deployment, DeployReply, Group, Preview } from "../answers.ts";
import { act, examples, type Desk, type World } from "../desk.ts";
import { EXIT, Failure, wrongUse } from "../exits.ts";
import type { HubClient } from "../hub-client.ts";
import { Reason } from "../names.ts";
import { checkOrder, needsPlan, OrderOptions, orderOf, withOrderOptions } from "../order.ts";
import { conclude, WaitOptions, withWaitOptions } from "./waiting.ts";

const DeployOptions = OrderOptions.extend(WaitOptions.shape);
type DeployOptions = z.infer<typeof DeployOptions>;

export function addDeploy(program: Command, world: World): void {
  const command = program.command("deploy").description("deploy a version to groups, at once or in waves");
  withWaitOptions(withOrderOptions(command), "finished");
  act(command, world, DeployOptions, deploy);
  examples(
    command,
    "context-edge deploy --group line-a --version v2.1 --wait",
    'context-edge deploy --all --version v2.1 --reason "pilot was fine" --wait --timeout 2h',
    "context-edge deploy --group a --group b --version v2.1 --waves 10%,50%,100% --promote automatic",
    "context-edge deploy --group a --version v2.1 --waves 1,100% --on-fail roll-back --dry-run",
  );
}

async function deploy(desk: Desk, options: DeployOptions): Promise<void> {
  checkOrder(options);
  if (options.draft && options.wait) {
    throw wrongUse("A draft does not begin by itself, so there is nothing to wait for: --draft or --wait, not both.");
  }
  const hub = desk.hub();
  if (options.dryRun) return preview(desk, hub, options);
  const made = options.all ? await deployAll(hub, options) : await deployGroups(hub, options);
  await conclude(desk, hub, made, options, "finished");
}

async function deployGroups(hub: HubClient, options: DeployOptions): Promise<Deployment> {
  const [first, ...others] = options.group;
  if (needsPlan(options) || first === undefined || others.length > 0) {
    return hub.send(Deployment, "POST", "api/v1/deployments", orderOf(options, options.group)).catch(tooOld);
  }
  const { version, model, reason } = options;
  const path = `api/v1/groups/${encodeURIComponent(first)}/target`;
  return hub.send(Deployment, "PUT", path, { version, model, reason });
}

async function deployAll(hub: HubClient, options: DeployOptions): Promise<Deployment> {
  const { version, model, reason, override } = options;
  const path = `mlops/models/${encodeURIComponent(version)}/deploy-all`;
  const body = {
    ...(reason === undefined ? {} : { reason }),
    ...(override === undefined ? {} : { override: { reason: override } }),
  };
  const reply = await hub.send(DeployReply, "POST", path, body, { model }).catch((error: unknown) => {
    throw gateNotMet(error, version);
  });
  return findDeployment(hub, reply.deployment_id);
}

/** What is missing, a line each, and how a person may go on all the same. */
function gateNotMet(error: unknown, version: string): unknown {
  if (!(error instanceof Failure) || error.more.code !== "GATE_NOT_MET") return error;
  const problem = z
    .looseObject({ context: z.looseObject({ missing: z.array(z.string()) }) })
    .safeParse(error.more.document);
  return new Failure(error.exit, `${version} may not go to all groups yet.`, {
    ...error.more,
    lines: problem.success ? problem.data.context.missing.map((one) => `missing: ${one}`) : [error.message],
    nextStep: `Wait for the pilot, or: context-edge deploy --all --version ${version} --override "reason" (kept in the audit).`,
  });
}

async function preview({ out }: Desk, hub: HubClient, options: DeployOptions): Promise<void> {
  const groups = options.all ? (await hub.all(Group, "api/v1/groups")).map(({ name }) => name) : options.group;
  const body = orderOf(options, groups);
  const seen = await hub.send(Preview, "POST", "api/v1/deployments/preview", body).catch(tooOld);
  const rows = seen.groups.map((group) => [
    group.group,
    String(group.devices),
    String(group.fitting),
    String(group.offline),
    String(group.held),
    String(group.incompatible.length),
  ]);
  const lacking = seen.groups.flatMap(({ incompatible }) => incompatible.map(({ device, why }) => `${device}: ${why}`));
  const steps = seen.steps.length > 1 ? seen.steps : [];
  out.result(seen, [
    seen.sentence,
    "",
    ...out.table(["GROUP", "DEVICES", "FITTING", "OFFLINE", "HELD", "INCOMPATIBLE"], rows),
    ...(lacking.length > 0 ? ["", ...lacking] : []),
    ...(steps.length > 0 ? [""] : []),
    ...steps.map(({ groups: of, devices }, at) => `wave ${at + 1}: ${devices.length} devices of ${of.join(", ")}`),
    ...seen.warnings.map((warning) => `warning: ${warning}`),
    "",
    "Nothing was changed.",
  ]);
}

/** The route itself is missing, not a thing it speaks of. */
function tooOld(error: unknown): never {
  if (!(error instanceof Failure) || error.more.code !== "NOT_FOUND") throw error;
  throw new Failure(EXIT.refused, "This hub is too old for waves, schedules and previews.", {
    code: "HUB_TOO_OLD",
    nextStep: "Update the hub, or deploy to one --group at once.",
  });
}

export function findDeployment(hub: HubClient, id: string): Promise<Deployment> {
  return hub.get(Deployment, `api/v1/deployments/${encodeURIComponent(id)}`);
}

const PilotOptions = WaitOptions.extend({
  version: VersionId,
  model: ModelName.optional(),
  reason: Reason.optional(),
  devices: z
    .string()
    .transform((text) =>
      text
        .split(",")
        .map((id) => id.trim())
        .filter(Boolean),
    )
    .pipe(z.array(DeviceId).min(1, "it names no device").max(10_000)),
});

export function addPilot(program: Command, world: World): void {
  const command = program
    .command("pilot")
    .description("put a version on a few devices and watch them")
    .requiredOption("-v, --version <version>", "the version to try")
    .requiredOption("-d, --devices <devices>", "the devices, comma-separated: a,b,c")
    .option("-m, --model <model>", "the model, when it is not the default one")
    .option("-r, --reason <text>", "why; kept in the history");
  withWaitOptions(command, "approval");
  act(command, world, PilotOptions, async (desk, options) => {
    const { version, devices, model, reason } = options;
    const hub = desk.hub();
    const path = `mlops/models/${encodeURIComponent(version)}/deploy-pilot`;
    const reply = await hub.send(DeployReply, "POST", path, { pilot_device_ids: devices, reason }, { model });
    await conclude(desk, hub, await findDeployment(hub, reply.deployment_id), options, "approval");
  });
  examples(
    command,
    "context-edge pilot --version v2.1 --devices press-7,press-8",
    "context-edge pilot --version v2.1 --devices press-7 --wait --until settled --timeout 30m",
  );
}
