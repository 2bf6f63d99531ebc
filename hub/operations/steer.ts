// Steering a deployment that is under way: pause, resume, promote, abort, retry.
import { CLOSED_DEPLOYMENT_STATES, type DeploymentState } from "@context-edge/protocol";
import { readFleet } from "../fleet.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import type { DeploymentRecord } from "../store/records.ts";
import { deployAll, rollBackDeployment } from "./deploy.ts";

export const ACTIONS = ["pause", "resume", "promote", "abort", "rollback", "retry"] as const;
export type Action = (typeof ACTIONS)[number];

type SimpleAction = Exclude<Action, "promote" | "rollback">;

const SIMPLE: Record<SimpleAction, { from: readonly DeploymentState[]; to: DeploymentState; words: string }> = {
  pause: { from: ["running", "soaking", "awaiting-approval"], to: "paused", words: "Paused" },
  resume: { from: ["paused"], to: "running", words: "Resumed" },
  abort: {
    from: ["running", "soaking", "awaiting-approval", "paused", "scheduled", "draft"],
    to: "aborted",
    words: "Aborted",
  },
  retry: {
    from: ["running", "paused", "soaking", "awaiting-approval"],
    to: "running",
    words: "Failed devices try again",
  },
};

export async function steer(
  hub: Hub,
  actor: string,
  id: string,
  action: Action,
  reason: string | undefined,
): Promise<DeploymentRecord> {
  const deployment = await findDeployment(hub, id);
  if (action === "rollback") return rollBackDeployment(hub, actor, deployment, reason);
  if (action === "promote") return promote(hub, actor, deployment, reason);
  const { from, to, words } = SIMPLE[action];
  if (!from.includes(deployment.state)) {
    throw new ProblemError(
      CLOSED_DEPLOYMENT_STATES.includes(deployment.state) ? "DEPLOYMENT_CLOSED" : "CONFLICT",
      `A deployment that is ${deployment.state} cannot ${action}.`,
    );
  }
  const fleet = await readFleet(hub.store, hub.presence);
  const bad = fleet.members(deployment).filter(({ standing }) => standing.sync === "failed");
  // Seconds since the epoch: larger than any earlier retry of the same digest, whichever deployment that was.
  const excused = Object.fromEntries(
    bad.flatMap(({ id: device, standing }) => (standing.outcome ? [[device, standing.outcome.at]] : [])),
  );
  await hub.changes.make(actor, async ({ tx, at, touched, tell }) => {
    const sentence = `${words} by ${actor}${reason ? `: ${reason}` : ""}`;
    await tx.deployments.update(id, {
      state: to,
      state_reason: sentence,
      ...(action === "resume" ? { tolerated: bad.length } : {}),
      ...(action === "retry"
        ? { retry: Math.floor(hub.now() / 1_000), tolerated: 0, excused: { ...deployment.excused, ...excused } }
        : {}),
      ...(to === "aborted" ? { finished_at: at } : {}),
    });
    touched.deployments.add(id);
    await tell(`deployment.${to}`, id, `${deployment.version}: ${sentence}`, { deployment_id: id, action });
  });
  await hub.publisher.refresh(deployment.groups);
  hub.conductor.wake();
  return findDeployment(hub, id);
}

/** One wave is all there is in this release, so the next step of a pilot is every group. */
function promote(
  hub: Hub,
  actor: string,
  deployment: DeploymentRecord,
  reason: string | undefined,
): Promise<DeploymentRecord> {
  if (deployment.kind !== "pilot") {
    throw new ProblemError(
      "CONFLICT",
      "Only a pilot can be promoted; this deployment reaches all of its devices already.",
    );
  }
  return deployAll(hub, actor, { model: deployment.model, version: deployment.version, reason }, undefined);
}

export async function findDeployment(hub: Hub, id: string): Promise<DeploymentRecord> {
  const deployment = await hub.store.deployments.find(id);
  if (!deployment) {
    throw new ProblemError("DEPLOYMENT_UNKNOWN", `There is no deployment ${id}.`, {
      nextStep: "List them with GET /api/v1/deployments.",
    });
  }
  return deployment;
}
