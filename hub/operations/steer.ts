// Steering a deployment that is under way: start, pause, resume, promote, abort, retry, roll back.
import { CLOSED_DEPLOYMENT_STATES, type DeploymentState } from "@context-edge/protocol";
import { whyNotDeployable } from "../deployable.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import type { DeploymentRecord } from "../store/records.ts";
import { rollBackDeployment } from "./deploy.ts";
import { promote, type Promotion } from "./promote.ts";

export const ACTIONS = ["start", "pause", "resume", "promote", "abort", "rollback", "retry"] as const;
export type Action = (typeof ACTIONS)[number];

type SimpleAction = Exclude<Action, "promote" | "rollback">;

const SIMPLE: Record<SimpleAction, { from: readonly DeploymentState[]; to: DeploymentState; words: string }> = {
  start: { from: ["draft", "scheduled"], to: "scheduled", words: "Started" },
  pause: { from: ["running", "soaking", "awaiting-approval", "scheduled"], to: "paused", words: "Paused" },
  resume: { from: ["paused"], to: "running", words: "Resumed" },
  abort: {
    from: ["running", "soaking", "awaiting-approval", "paused", "scheduled", "draft", "rolling-back"],
    to: "aborted",
    words: "Aborted",
  },
  retry: {
    // Also after the end: as long as groups follow it, who failed may try again.
    from: ["running", "paused", "soaking", "awaiting-approval", "finished"],
    to: "running",
    words: "Failed devices try again",
  },
};

export async function steer(
  hub: Hub,
  actor: string,
  id: string,
  action: Action,
  wish: Promotion,
): Promise<DeploymentRecord> {
  const deployment = await findDeployment(hub, id);
  if (action === "rollback") return rollBackDeployment(hub, actor, deployment, wish.reason);
  if (action === "promote") return promote(hub, actor, deployment, wish);
  const { from, to, words } = SIMPLE[action];
  if (!from.includes(deployment.state)) {
    throw new ProblemError(
      CLOSED_DEPLOYMENT_STATES.includes(deployment.state) ? "DEPLOYMENT_CLOSED" : "CONFLICT",
      `A deployment that is ${deployment.state} cannot ${action}.`,
    );
  }
  if (to === "running" || to === "scheduled") await refuseForbidden(hub, deployment);
  const sentence = `${words} by ${actor}${wish.reason ? `: ${wish.reason}` : ""}`;
  if (deployment.state === "finished" && !(await hub.fleet()).isTarget(id)) {
    throw new ProblemError("DEPLOYMENT_CLOSED", "No group follows this deployment any more.", {
      nextStep: "Deploy the version again.",
    });
  }
  const also = await consequences(hub, deployment, action);
  await hub.changes.make(actor, async ({ tx, at, touched, tell }) => {
    const current = await tx.deployments.find(id);
    if (current?.state !== deployment.state) {
      throw new ProblemError("CONFLICT", `The deployment became ${current?.state ?? "unknown"} just now.`, {
        nextStep: "Look at it again, then decide.",
      });
    }
    const finished_at = to === "aborted" ? at : null;
    const change = { state: to, state_reason: sentence, halted_by: null, finished_at, ...also };
    await tx.deployments.update(id, change);
    touched.deployments.add(id);
    for (const group of deployment.groups) touched.groups.add(group);
    await tell(
      `deployment.${action === "retry" ? "retried" : change.state}`,
      id,
      `${deployment.version}: ${sentence}`,
      {
        deployment_id: id,
        action,
      },
    );
  });
  await hub.publisher.refresh(deployment.groups);
  hub.conductor.wake();
  return findDeployment(hub, id);
}

async function consequences(
  hub: Hub,
  deployment: DeploymentRecord,
  action: SimpleAction,
): Promise<Partial<DeploymentRecord>> {
  const hasBegun = Object.keys(deployment.shares).length > 0;
  if (action === "start") {
    const expected = await presentTargets(hub, deployment);
    // A draft that has a time waits for it; to start what is scheduled is to begin now.
    if (deployment.state === "draft") return { expected };
    return { expected, plan: { ...deployment.plan, start_at: null } };
  }
  if (action !== "resume" && action !== "retry") return {};
  const fleet = await hub.fleet();
  const bad = fleet.members(deployment).filter(({ standing, timedOut }) => standing.sync === "failed" || timedOut);
  // Whoever resumes has seen which targets stand now.
  const seen = {
    expected: await presentTargets(hub, deployment),
    ...(hasBegun ? {} : { state: "scheduled" as const }),
  };
  if (action === "resume") return { ...seen, tolerated: bad.length };
  const excused = Object.fromEntries(
    bad.flatMap(({ id: device, standing }) => (standing.outcome ? [[device, standing.outcome.at]] : [])),
  );
  return {
    ...seen,
    // Seconds since the epoch: larger than any earlier retry of the same digest, whichever deployment that was.
    retry: Math.floor(hub.now() / 1_000),
    tolerated: 0,
    timed_out: {},
    excused: { ...deployment.excused, ...excused },
  };
}

async function presentTargets(hub: Hub, { groups, model }: DeploymentRecord): Promise<Record<string, string | null>> {
  const fleet = await hub.fleet();
  return Object.fromEntries(groups.map((group) => [group, fleet.targetView(group, model)?.deploymentId ?? null]));
}

async function refuseForbidden(hub: Hub, { model, version, kind }: DeploymentRecord): Promise<void> {
  const record = await hub.store.versions.find(model, version);
  const why = record && kind !== "rollback" ? whyNotDeployable(record) : null;
  if (why) throw new ProblemError(why.code, why.detail, { nextStep: why.nextStep });
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
