// How targets change: every way of deploying makes a deployment and takes its steps, each one transaction with its events.
import { randomBytes } from "node:crypto";
import type { Deployment, DeploymentState, Plan } from "@context-edge/protocol";
import type { Change } from "./changes.ts";
import { sharesAfter, stepWords } from "./core/plan.ts";
import { deployableVersion } from "./deployable.ts";
import { type Fleet, type Plans, readPlans } from "./fleet.ts";
import { ProblemError } from "./problem-error.ts";
import type { DeploymentRecord } from "./store/records.ts";
import { closeSuperseded, earlierOf } from "./supersede.ts";

export interface Order {
  kind: Deployment["kind"];
  model: string;
  version: string;
  plan: Plan;
  reason: string;
  /** Of a preview. */
  id?: string | undefined;
  /** By group that has no target yet: what its devices ran in the groups they came from. */
  cameFrom?: Readonly<Record<string, string>>;
}

/**
 * By `model/group`, the deployment each group followed when the caller's request arrived. Another one by the time of the
 * transaction means that somebody else was faster.
 */
export type Seen = ReadonlyMap<string, string>;

export const seenKey = (model: string, group: string) => `${model}/${group}`;

/** Sortable by time, unique by chance. */
export function newDeploymentId(atMs: number): string {
  return `dep-${atMs.toString(36).padStart(9, "0")}-${randomBytes(5).toString("hex")}`;
}

/**
 * Begins at once.
 * @param look the fleet before the change
 * @throws CONFLICT when another target was set since the caller looked
 */
export async function openDeployment(change: Change, order: Order, look: Fleet, seen: Seen): Promise<DeploymentRecord> {
  const deployment = await planDeployment(change, order, "running", "Devices are being told");
  for (const group of deployment.groups) {
    if ((deployment.expected[group] ?? undefined) !== seen.get(seenKey(order.model, group))) {
      throw new ProblemError("CONFLICT", `The target of group ${group} was changed by somebody else just now.`, {
        nextStep: "Look at the group again, then decide.",
      });
    }
  }
  const begun = await takeSteps(change, look, deployment, { to: 0, reason: deployment.state_reason });
  if (!begun.ok) throw new ProblemError("CONFLICT", begun.why);
  return begun.deployment;
}

/** Writes it down; no target changes before its first step. */
export async function planDeployment(
  change: Change,
  order: Order,
  state: DeploymentState,
  stateReason: string,
): Promise<DeploymentRecord> {
  const { tx, at, actor, touched, tell } = change;
  const fleet = await readPlans(tx);
  const version = await deployableVersion(change, order);
  const groups = [...new Set(order.plan.steps.flatMap((step) => step.groups))];
  const id = order.id ?? newDeploymentId(Date.parse(at));
  if (order.id !== undefined && (await tx.deployments.find(id))) {
    throw new ProblemError("CONFLICT", `Deployment ${id} was made already.`, { nextStep: "Ask for a new preview." });
  }
  const byGroup = <T>(read: (group: string) => T) => Object.fromEntries(groups.map((group) => [group, read(group)]));
  const deployment: DeploymentRecord = {
    id,
    model: order.model,
    version: order.version,
    kind: order.kind,
    groups,
    previous: byGroup((group) => previousOf(fleet, group, order)),
    expected: byGroup((group) => fleet.targetView(group, order.model)?.deploymentId ?? null),
    state,
    state_reason: stateReason,
    plan: order.plan,
    step: 0,
    shares: {},
    timed_out: {},
    retry: 0,
    tolerated: 0,
    excused: {},
    reason: order.reason,
    created_by: actor,
    created_at: at,
    step_since: null,
    soaking_since: null,
    watched: {},
    stays: {},
    halted_by: null,
    finished_at: null,
    gate: null,
    progress: null,
  };
  await tx.deployments.insert(deployment);
  touched.deployments.add(id);
  touched.versions.add(`${version.model}/${version.version_id}`);
  const say = state === "running" ? SAY[order.kind] : SAY_LATER[state === "draft" ? "draft" : "scheduled"];
  await tell("deployment.created", id, `${actor} ${say(order.version, groups.join(", "))}`, {
    deployment_id: id,
    version: order.version,
    groups,
    previous: deployment.previous,
    reason: order.reason,
    plan: order.plan,
  });
  return deployment;
}

type Say = (version: string, groups: string) => string;
const SAY: Record<Deployment["kind"], Say> = {
  pilot: (version, groups) => `put ${version} on the pilot (${groups})`,
  all: (version, groups) => `deployed ${version} to all groups (${groups})`,
  group: (version, groups) => `assigned ${version} to ${groups}`,
  rollback: (version, groups) => `rolled ${groups} back to ${version}`,
  waves: (version, groups) => `deployed ${version} in steps (${groups})`,
};
const SAY_LATER: Record<"draft" | "scheduled", Say> = {
  draft: (version, groups) => `drafted a deployment of ${version} (${groups})`,
  scheduled: (version, groups) => `scheduled ${version} (${groups})`,
};

export type Stepped = { ok: true; deployment: DeploymentRecord } | { ok: false; why: string };

/**
 * Goes on to a step, and through those before it that were not taken yet. Groups that get their turn are given the target;
 * one that somebody gave another target meanwhile is not taken over.
 * @param look the fleet before the change
 */
export async function takeSteps(
  change: Change,
  look: Fleet,
  before: DeploymentRecord,
  { to: step, reason }: { to: number; reason: string },
): Promise<Stepped> {
  const { tx, at, touched } = change;
  const fleet = await readPlans(tx);
  const { plan, model } = before;
  const ids = await idsOf(tx, plan);
  const first = Object.keys(before.shares).length === 0 ? 0 : before.step + 1;
  let { shares } = before;
  for (let index = first; index <= step; index += 1) {
    shares = sharesAfter(plan, index, shares, (group) => ids.get(group) ?? [], before.id);
  }
  const entering = Object.keys(shares).filter((group) => !(group in before.shares));
  const taken = entering.find((group) => {
    return (fleet.targetView(group, model)?.deploymentId ?? null) !== (before.expected[group] ?? null);
  });
  if (taken !== undefined) {
    return { ok: false, why: `the target of group ${taken} was changed by somebody else since this was planned` };
  }
  const previous = { ...before.previous };
  for (const group of entering) {
    const earlier = earlierOf(fleet, group, before);
    // What was found when it was planned stands where the group has no target of its own.
    if (fleet.targetView(group, model)) previous[group] = earlier.previous;
    const { id: deployment_id, version } = before;
    await tx.targets.put({
      group_name: group,
      model,
      version,
      previous_version: previous[group] ?? null,
      outside_version: earlier.outside,
      deployment_id,
      since: at,
    });
  }
  const moved = {
    step,
    shares,
    previous,
    state: "running",
    state_reason: reason,
    halted_by: null,
    step_since: at,
    soaking_since: null,
  } as const;
  await tx.deployments.update(before.id, moved);
  const deployment = { ...before, ...moved };
  await closeSuperseded(change, fleet, look, deployment);
  touched.deployments.add(before.id);
  for (const group of Object.keys(shares)) touched.members.add(group);
  return { ok: true, deployment };
}

function previousOf(fleet: Plans, group: string, order: Order): string | null {
  if (!fleet.targetView(group, order.model)) return order.cameFrom?.[group] ?? null;
  return earlierOf(fleet, group, order).previous;
}

/** By group, the devices that its waves are counted among; everybody at once needs no counting. */
async function idsOf(tx: Change["tx"], { steps }: Plan): Promise<Map<string, string[]>> {
  const counted = new Set(steps.flatMap(({ groups, size }) => ("count" in size || size.share < 1 ? groups : [])));
  const ids = new Map<string, string[]>();
  for (const group of counted) ids.set(group, await tx.devices.idsIn(group));
  return ids;
}

/** "Went on to step 2 of 5 (30 % of line-a)". */
export const wentOnTo = (plan: Plan, step: number) => `Went on to ${stepWords(plan, step)}`;
