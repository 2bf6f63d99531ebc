// Rolling a deployment back: each group gets what it had before, even where that differs from group to group.
import type { Change } from "./changes.ts";
import { planOfOneStep } from "./core/plan.ts";
import { type Fleet, readPlans } from "./fleet.ts";
import { ProblemError } from "./problem-error.ts";
import { openDeployment, seenKey, type Seen } from "./rollout.ts";
import type { DeploymentRecord } from "./store/records.ts";

/**
 * @param look the fleet before the change
 * @param seen what the caller saw; left out, what stands now counts
 * @returns the last of the deployments made
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
  const byVersion = Map.groupBy(
    mine.filter((target) => target.previous_version !== null),
    (target) => target.previous_version ?? "",
  );
  const present: Seen = new Map(mine.map((target) => [seenKey(target.model, target.group_name), target.deployment_id]));
  let last: DeploymentRecord | undefined;
  for (const [version, targets] of byVersion) {
    const plan = planOfOneStep(
      targets.map((target) => target.group_name),
      null,
    );
    const order = { kind: "rollback", model: deployment.model, version, plan, reason } as const;
    last = await openDeployment(change, order, look, seen ?? present);
  }
  if (last) return last;
  throw new ProblemError(
    "DEPLOYMENT_CLOSED",
    "No group follows this deployment any more, or there was nothing before it.",
    { nextStep: "Assign the version you want to the group." },
  );
}
