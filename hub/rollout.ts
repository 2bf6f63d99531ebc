// How targets change: every way of deploying ends in `openDeployment`, one transaction with its events.
import { randomBytes } from "node:crypto";
import { CLOSED_DEPLOYMENT_STATES, type Deployment } from "@context-edge/protocol";
import type { Change } from "./changes.ts";
import { progressOf } from "./core/progress.ts";
import { readFleet, type Fleet } from "./fleet.ts";
import { ProblemError } from "./problem-error.ts";
import type { DeploymentRecord, VersionRecord } from "./store/records.ts";

export interface Order {
  kind: Deployment["kind"];
  model: string;
  version: string;
  groups: readonly string[];
  reason: string;
}

/**
 * By `model/group`, the deployment each group followed when the caller's request arrived. Another one by the time of the
 * transaction means that somebody else was faster.
 */
export type Seen = ReadonlyMap<string, string>;

export const seenKey = (model: string, group: string) => `${model}/${group}`;

export async function openDeployment(change: Change, order: Order, seen: Seen): Promise<DeploymentRecord> {
  const { tx, at, actor, touched, tell } = change;
  const fleet = await readFleet(tx, { isOnline: () => true });
  const version = await deployableVersion(change, order.model, order.version);
  for (const group of order.groups) {
    if (fleet.targetView(group, order.model)?.deploymentId !== seen.get(seenKey(order.model, group))) {
      throw new ProblemError("CONFLICT", `The target of group ${group} was changed by somebody else just now.`, {
        nextStep: "Look at the group again, then decide.",
      });
    }
  }
  const deployment: DeploymentRecord = {
    // Sortable by time, unique by chance.
    id: `dep-${Date.parse(at).toString(36).padStart(9, "0")}-${randomBytes(5).toString("hex")}`,
    model: order.model,
    version: order.version,
    kind: order.kind,
    groups: [...order.groups],
    previous: Object.fromEntries(order.groups.map((group) => [group, earlierVersion(fleet, group, order)])),
    state: "running",
    state_reason: "Devices are being told",
    share: 1,
    retry: 0,
    tolerated: 0,
    excused: {},
    reason: order.reason,
    created_by: actor,
    created_at: at,
    soaking_since: null,
    finished_at: null,
    gate: null,
    progress: null,
  };
  await tx.deployments.insert(deployment);
  for (const group of order.groups) {
    await tx.targets.put({
      group_name: group,
      model: order.model,
      version: order.version,
      previous_version: deployment.previous[group] ?? null,
      deployment_id: deployment.id,
      since: at,
    });
    touched.groups.add(group);
  }
  await closeSuperseded(change, fleet, deployment);
  touched.deployments.add(deployment.id);
  touched.versions.add(`${version.model}/${version.version_id}`);
  for (const device of fleet.devices) if (order.groups.includes(device.group_name)) touched.devices.add(device.id);
  await tell(
    "deployment.created",
    deployment.id,
    `${actor} ${VERB[order.kind]} ${order.version} (${order.groups.join(", ")})`,
    {
      deployment_id: deployment.id,
      version: order.version,
      groups: [...order.groups],
      previous: deployment.previous,
      reason: order.reason,
    },
  );
  return deployment;
}

const VERB: Record<Deployment["kind"], string> = {
  pilot: "put on the pilot",
  all: "deployed to all groups",
  group: "assigned",
  rollback: "rolled back to",
};

/** Deploying a pending version approves it in the caller's name. */
async function deployableVersion(change: Change, model: string, id: string): Promise<VersionRecord> {
  const { tx, at, actor, touched, tell } = change;
  const version = await tx.versions.find(model, id);
  if (!version) throw unknownVersion(model, id);
  if (version.stage !== "approved" && version.stage !== "pending") {
    throw new ProblemError("VERSION_NOT_DEPLOYABLE", `${id} is ${version.stage}.`, {
      nextStep: "Choose an approved version, or register the model under a new version.",
    });
  }
  if (!version.statement) {
    throw new ProblemError(
      "VERSION_NOT_DEPLOYABLE",
      `${id} carries no statement signed by a release key, so every device would refuse it.`,
      {
        nextStep: "Register it under a new version with a signed statement.",
      },
    );
  }
  if (version.stage === "pending") {
    const decision = {
      stage: "approved" as const,
      decided_by: actor,
      decided_at: at,
      decision_reason: "approved by deploying it",
    };
    await tx.versions.decide(model, id, decision);
    touched.versions.add(`${model}/${id}`);
    await tell("version.approved", `${model}/${id}`, `${actor} approved ${id} by deploying it`);
  }
  return version;
}

export function unknownVersion(model: string, id: string): ProblemError {
  return new ProblemError("VERSION_UNKNOWN", `Model ${model} has no version ${id}.`, {
    nextStep: "List the versions with GET /api/v1/models/" + model + "/versions.",
  });
}

/** What a rollback of this deployment would restore: a version that never settled is skipped in favour of the one before it. */
function earlierVersion(fleet: Fleet, group: string, order: Order): string | null {
  const target = fleet.targetView(group, order.model);
  if (!target) return null;
  const earlier = fleet.deploymentsById.get(target.deploymentId);
  const neverSettled =
    earlier !== undefined && earlier.kind !== "rollback" && (earlier.state === "paused" || earlier.state === "running");
  return neverSettled || target.version === order.version ? target.previousVersion : target.version;
}

/** A deployment that is no group's target any more has ended, one way or another; its last figures are kept. */
async function closeSuperseded(change: Change, before: Fleet, successor: DeploymentRecord): Promise<void> {
  const { tx, at, touched, tell } = change;
  const after = await readFleet(tx, { isOnline: () => true });
  for (const id of new Set(before.targets.map((target) => target.deployment_id))) {
    if (after.isTarget(id)) continue;
    const old = before.deploymentsById.get(id);
    if (!old) continue;
    const ending = endingOf(old, successor);
    const progress = progressOf(before.members(old));
    touched.deployments.add(id);
    if (!ending) {
      await tx.deployments.update(id, { progress });
      continue;
    }
    await tx.deployments.update(id, { ...ending, progress, finished_at: old.finished_at ?? at });
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
  if (successor.kind === "rollback" && old.version !== successor.version) {
    return { state: "rolled-back", state_reason: `Rolled back to ${successor.version}` };
  }
  if (CLOSED_DEPLOYMENT_STATES.includes(old.state)) return null;
  if (successor.kind === "all" && successor.version === old.version) {
    return { state: "finished", state_reason: "Went on to all groups" };
  }
  return { state: "aborted", state_reason: `Superseded by the deployment of ${successor.version}` };
}
