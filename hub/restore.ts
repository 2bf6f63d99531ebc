// Rolling a deployment back: each group gets what it had before, even where that differs from group to group, or was nothing.
import type { Change } from "./changes.ts";
import { planOfOneStep } from "./core/plan.ts";
import { whyNotRestorable } from "./deployable.ts";
import { type Fleet, type Plans, readPlans } from "./fleet.ts";
import { ProblemError } from "./problem-error.ts";
import { openDeployment, seenKey, type Seen } from "./rollout.ts";
import type { DeploymentRecord, TargetRecord } from "./store/records.ts";

/** The version that this group can go back to; null where there was none, or none that may still be installed. */
export function restorableOf(fleet: Plans, { model, previous_version: id }: TargetRecord): string | null {
  const record = id === null ? undefined : fleet.version(model, id);
  return record && !whyNotRestorable(record) ? id : null;
}

/**
 * @param look the fleet before the change
 * @param seen what the caller saw; left out, what stands now counts
 * @returns the last of the deployments made
 * @throws DEPLOYMENT_CLOSED where no group has anything to go back to
 */
export async function restoreTargets(
  change: Change,
  deployment: DeploymentRecord,
  reason: string,
  look: Fleet,
  seen?: Seen,
): Promise<DeploymentRecord> {
  const fleet = await readPlans(change.tx);
  const mine = fleet.targets.filter((target) => target.deployment_id === deployment.id);
  const byVersion = Map.groupBy(mine, (target) => restorableOf(fleet, target));
  const present: Seen = new Map(mine.map((target) => [seenKey(target.model, target.group_name), target.deployment_id]));
  if (![...byVersion.keys()].some((version) => version !== null)) {
    throw new ProblemError(
      "DEPLOYMENT_CLOSED",
      "No group follows this deployment any more, or there was nothing before it that could be restored.",
      { nextStep: "Assign the version you want to the group." },
    );
  }
  // First, so that the deployment is nobody's target any more once the others are back.
  for (const target of byVersion.get(null) ?? []) await clearTarget(change, target, deployment);
  let last = deployment;
  for (const [version, targets] of byVersion) {
    if (version === null) continue;
    const plan = planOfOneStep(
      targets.map((target) => target.group_name),
      null,
    );
    const order = { kind: "rollback", model: deployment.model, version, plan, reason } as const;
    last = await openDeployment(change, order, look, seen ?? present);
  }
  return last;
}

/** Nothing is ordered any more: devices keep what they run, and whoever has not begun does not. */
async function clearTarget(
  { tx, touched, tell }: Change,
  { group_name: group, model }: TargetRecord,
  { id, version }: DeploymentRecord,
): Promise<void> {
  await tx.targets.remove(group, model);
  touched.members.add(group);
  touched.deployments.add(id);
  const summary = `${group} has no target any more: it had none before ${version} that could be restored; its devices keep what they run`;
  await tell("target.cleared", group, summary, { group, model, deployment_id: id });
}
