// How far a deployment has come, from what is carried along about its groups: going through every device would cost a large fleet much.
import { CLOSED_DEPLOYMENT_STATES, type Progress } from "@context-edge/protocol";
import { NO_PROGRESS } from "./core/progress.ts";
import type { Fleet } from "./fleet.ts";
import type { Presence } from "./presence.ts";
import type { DeploymentRecord } from "./store/records.ts";
import type { Strides } from "./tallies.ts";

/** The same as going through `members` of the deployment, device by device. */
export function progressNow(
  fleet: Pick<Fleet, "tally" | "targetView" | "strides">,
  presence: Pick<Presence, "countOnline">,
  deployment: DeploymentRecord,
): Progress {
  const { id, model, groups, shares, state } = deployment;
  const progress = { ...NO_PROGRESS };
  for (const group of groups) {
    const total = fleet.tally(group)?.ids.size ?? 0;
    if (!(group in shares)) {
      // Its turn has not come.
      if (CLOSED_DEPLOYMENT_STATES.includes(state)) continue;
      progress.total += total;
      progress.waiting += total;
    } else if (fleet.targetView(group, model)?.deploymentId === id) {
      progress.total += total;
      const strides = fleet.strides(group, model);
      if (strides) addStrides(progress, strides, presence, deployment);
    }
  }
  return progress;
}

function addStrides(
  progress: Progress,
  { settled, open }: Strides,
  presence: Pick<Presence, "countOnline">,
  { timed_out: timedOut }: DeploymentRecord,
): void {
  for (const [bin, count] of settled) progress[bin] += count;
  const isAnyLate = Object.keys(timedOut).length > 0;
  for (const [bin, ids] of open) {
    const late = new Set(isAnyLate ? [...ids].filter((id) => timedOut[id]) : []);
    const inTime = late.size > 0 ? ids.difference(late) : ids;
    const online = presence.countOnline(inTime);
    progress.failed += late.size;
    progress.offline += inTime.size - online;
    progress[bin] += online;
  }
}
