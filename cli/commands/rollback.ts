// `rollback`: back to an earlier version wherever a version is the target, or to what each group ran before a deployment.
import type { Command } from "commander";
import { ModelName, VersionId } from "@context-edge/protocol";
import { Deployment, DeployReply } from "../answers.ts";
import { act, examples, type Desk, type World } from "../desk.ts";
import { wrongUse } from "../exits.ts";
import { DeploymentId, Reason } from "../names.ts";
import { lookAtRollback } from "../restoring.ts";
import { findDeployment } from "./deploy.ts";
import { conclude, conclusionOf, WaitOptions, withWaitOptions } from "./waiting.ts";

const RollbackOptions = WaitOptions.extend({
  version: VersionId.optional(),
  to: VersionId.optional(),
  deployment: DeploymentId.optional(),
  model: ModelName.optional(),
  reason: Reason.optional(),
});

export function addRollback(program: Command, world: World): void {
  const command = program
    .command("rollback")
    .description("go back to an earlier version")
    .option("-v, --version <version>", "the version to leave, in every group that has it as its target")
    .option("-t, --to <version>", "the version to go back to")
    .option("--deployment <deployment>", "or: restore what each group ran before this deployment")
    .option("-m, --model <model>", "the model, when it is not the default one")
    .option("-r, --reason <text>", "why; kept in the history");
  withWaitOptions(command, "finished");
  act(command, world, RollbackOptions, async (desk, options) => {
    const { version, to, deployment: id, model, reason } = options;
    const isByVersion = version !== undefined && to !== undefined;
    if (isByVersion === (id !== undefined) || (id !== undefined && (version ?? to) !== undefined)) {
      throw wrongUse("Say --version and --to, or --deployment alone.", "context-edge rollback --help shows examples.");
    }
    if (id !== undefined) return rollBackDeployment(desk, id, options);
    const hub = desk.hub();
    const path = `mlops/models/${encodeURIComponent(version ?? "")}/rollback`;
    const reply = await hub.send(DeployReply, "POST", path, { rollback_to_version: to, reason }, { model });
    await conclude(desk, hub, await findDeployment(hub, reply.deployment_id), options, "finished");
  });
  examples(
    command,
    'context-edge rollback --version v2.1 --to v2.0 --reason "false alarms" --wait',
    "context-edge rollback --deployment dep-0mfabcd12-0123456789 --wait",
  );
}

/** The hub answers one of the deployments that bring the groups back; waited for is the one that is rolled back, in all its groups. */
export async function rollBackDeployment(
  desk: Desk,
  id: string,
  options: WaitOptions & { reason?: string | undefined },
): Promise<void> {
  const hub = desk.hub();
  const path = `api/v1/deployments/${encodeURIComponent(id)}/rollback`;
  const answer = await hub.send(Deployment, "POST", path, { reason: options.reason });
  const look = options.wait ? await lookAtRollback(hub, id) : null;
  if (look === null) return conclude(desk, hub, answer, options, "finished");
  desk.out.note(`${id} is being rolled back`);
  await conclusionOf(desk, hub, look, options, "rolled-back");
}
