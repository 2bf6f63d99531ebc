// What one deployment does to others: it ends those whose targets it took, and remembers what it would give back.
import { CLOSED_DEPLOYMENT_STATES } from "@context-edge/protocol";
import type { Change } from "./changes.ts";
import { isSettledIn } from "./core/settled.ts";
import { whyNotRestorable } from "./deployable.ts";
import { type Fleet, type Plans, readPlans } from "./fleet.ts";
import type { DeploymentRecord } from "./store/records.ts";

export interface Earlier {
  /** What a rollback gives back. */
  previous: string | null;
  /** What devices run that are not in the wave yet; null: they stay as they are. */
  outside: string | null;
}

/**
 * What a group had before this order. A version that never settled there, or that may not be installed any more, is skipped in
 * favour of the one before it; and while the devices of a group differ, those outside the wave are left alone.
 */
export function earlierOf(fleet: Plans, group: string, order: { model: string; version: string }): Earlier {
  const target = fleet.targetView(group, order.model);
  if (!target) return { previous: null, outside: null };
  const usable = (version: string | null) => {
    const record = version === null ? undefined : fleet.version(order.model, version);
    return record && !whyNotRestorable(record) ? version : null;
  };
  const earlier = fleet.deploymentsById.get(target.deploymentId);
  const settled = earlier && isSettledIn(earlier, group) ? usable(target.version) : null;
  return {
    previous: settled === null || settled === order.version ? usable(target.previousVersion) : settled,
    outside: settled,
  };
}

/**
 * A deployment that is no group's target any more has ended, one way or another; its last figures are kept.
 * @param look the fleet before the change, with its devices
 */
export async function closeSuperseded(
  change: Change,
  before: Plans,
  look: Fleet,
  successor: DeploymentRecord,
): Promise<void> {
  const { tx, at, touched, tell } = change;
  const after = await readPlans(tx);
  for (const id of new Set(before.targets.map((target) => target.deployment_id))) {
    if (id === successor.id || after.isTarget(id)) continue;
    const old = before.deploymentsById.get(id);
    if (!old) continue;
    const ending = endingOf(old, successor);
    const progress = look.progress(old);
    touched.deployments.add(id);
    if (!ending) {
      await tx.deployments.update(id, { progress });
      continue;
    }
    const isOver = CLOSED_DEPLOYMENT_STATES.includes(ending.state);
    await tx.deployments.update(id, { ...ending, progress, finished_at: old.finished_at ?? (isOver ? at : null) });
    await tell(`deployment.${ending.state}`, id, `${old.version}: ${ending.state_reason}`, {
      deployment_id: id,
      successor: successor.id,
    });
  }
}

function endingOf(
  old: DeploymentRecord,
  successor: DeploymentRecord,
): Pick<DeploymentRecord, "state" | "state_reason"> | null {
  // It has said why already; and if its groups go on to something else before they are back, that is as good as done.
  if (old.state === "rolling-back") return null;
  if (successor.kind === "rollback" && old.version !== successor.version) {
    const why = successor.reason ? `: ${successor.reason}` : "";
    return { state: "rolling-back", state_reason: `Rolling back to ${successor.version}${why}` };
  }
  if (CLOSED_DEPLOYMENT_STATES.includes(old.state)) return null;
  if (successor.kind === "all" && successor.version === old.version) {
    return { state: "finished", state_reason: "Went on to all groups" };
  }
  return { state: "aborted", state_reason: `Superseded by the deployment of ${successor.version}` };
}
