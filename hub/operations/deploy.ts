// Deploying: to a pilot, to all groups once the gate has passed, to one group, and back again.
import type { DeployReply } from "@context-edge/protocol";
import type { Change } from "../changes.ts";
import { DEFAULT_GROUP, formPilot } from "../devices.ts";
import { blockersOf, figuresOf, hasPassed } from "../facts.ts";
import { readFleet } from "../fleet.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { openDeployment, unknownVersion, type Order } from "../rollout.ts";
import type { DeploymentRecord } from "../store/records.ts";

interface Subject {
  model: string;
  version: string;
  reason: string | undefined;
}

export async function deployPilot(
  hub: Hub,
  actor: string,
  subject: Subject,
  deviceIds: readonly string[],
): Promise<DeploymentRecord> {
  const { pilotGroup } = hub.config;
  const seen = await hub.targets.seen();
  await requireVersion(hub, subject);
  return commit(hub, actor, async (change) => {
    await change.tx.groups.ensure(pilotGroup, change.at);
    await formPilot(change, pilotGroup, deviceIds);
    return openDeployment(change, orderOf(subject, "pilot", [pilotGroup]), seen);
  });
}

export async function deployAll(
  hub: Hub,
  actor: string,
  subject: Subject,
  override: { reason: string } | undefined,
): Promise<DeploymentRecord> {
  const seen = await hub.targets.seen();
  await requireVersion(hub, subject);
  const missing = await missingForAll(hub, subject);
  if (missing.length > 0 && !override) {
    throw new ProblemError("GATE_NOT_MET", `${subject.version} may not go to all groups yet: ${missing.join("; ")}.`, {
      nextStep: 'Wait for the pilot, or send {"override": {"reason": "…"}}; the reason is kept in the audit.',
      context: { missing },
    });
  }
  return commit(hub, actor, async (change) => {
    await change.tx.groups.ensure(DEFAULT_GROUP, change.at);
    const groups = (await change.tx.groups.list()).map(({ name }) => name);
    if (missing.length > 0 && override) {
      await change.tell(
        "gate.overridden",
        `${subject.model}/${subject.version}`,
        `${actor} overrode the gate of ${subject.version}: ${override.reason}`,
        {
          reason: override.reason,
          missing,
        },
      );
    }
    return openDeployment(
      change,
      orderOf({ ...subject, reason: override?.reason ?? subject.reason }, "all", groups),
      seen,
    );
  });
}

export async function assignTarget(
  hub: Hub,
  actor: string,
  subject: Subject,
  group: string,
): Promise<DeploymentRecord> {
  const seen = await hub.targets.seen();
  const fleet = await readFleet(hub.store, hub.presence);
  if (!fleet.groups.some(({ name }) => name === group)) {
    throw new ProblemError("GROUP_UNKNOWN", `There is no group ${group}.`, {
      nextStep: "List the groups with GET /api/v1/groups.",
    });
  }
  await requireVersion(hub, subject);
  return commit(hub, actor, (change) => openDeployment(change, orderOf(subject, "group", [group]), seen));
}

/** Every group whose target is this version goes to `to`. */
export async function rollBackVersion(
  hub: Hub,
  actor: string,
  subject: Subject,
  to: string,
): Promise<DeploymentRecord> {
  const seen = await hub.targets.seen();
  const fleet = await readFleet(hub.store, hub.presence);
  await requireVersion(hub, subject);
  await requireVersion(hub, { ...subject, version: to });
  const groups = fleet.targets
    .filter((target) => target.model === subject.model && target.version === subject.version)
    .map((target) => target.group_name);
  if (groups.length === 0 || to === subject.version) {
    throw new ProblemError(
      "CONFLICT",
      `No group has ${subject.version} as its target${to === subject.version ? "'s other version" : ""}.`,
      {
        nextStep: "Look at the groups' targets with GET /api/v1/groups.",
      },
    );
  }
  return commit(hub, actor, (change) =>
    openDeployment(change, orderOf({ ...subject, version: to }, "rollback", groups), seen),
  );
}

/** Restores what each group ran before this deployment; groups may differ, so there may be several deployments. */
export async function rollBackDeployment(
  hub: Hub,
  actor: string,
  deployment: DeploymentRecord,
  reason: string | undefined,
): Promise<DeploymentRecord> {
  const seen = await hub.targets.seen();
  const fleet = await readFleet(hub.store, hub.presence);
  const mine = fleet.targets.filter((target) => target.deployment_id === deployment.id);
  const byVersion = Map.groupBy(
    mine.filter((target) => target.previous_version !== null),
    (target) => target.previous_version ?? "",
  );
  if (byVersion.size === 0) {
    throw new ProblemError(
      "DEPLOYMENT_CLOSED",
      "No group follows this deployment any more, or there was nothing before it.",
      {
        nextStep: "Assign the version you want to the group.",
      },
    );
  }
  return commit(hub, actor, async (change) => {
    let last: DeploymentRecord | undefined;
    for (const [version, targets] of byVersion) {
      const groups = targets.map((target) => target.group_name);
      last = await openDeployment(
        change,
        orderOf({ model: deployment.model, version, reason }, "rollback", groups),
        seen,
      );
    }
    if (!last) throw new ProblemError("INTERNAL", "nothing was rolled back");
    return last;
  });
}

/** What a script is told: who will move, in one sentence. */
export async function deployReply(hub: Hub, deployment: DeploymentRecord): Promise<DeployReply> {
  const fleet = await readFleet(hub.store, hub.presence);
  const devices = fleet.members(deployment).length;
  return {
    message: `${devices} ${devices === 1 ? "device" : "devices"} of ${deployment.groups.join(", ")} will run ${deployment.version}.`,
    deployment_id: deployment.id,
    version_id: deployment.version,
    groups: deployment.groups,
    devices,
  };
}

/** The deployment that tells most about a version: its pilot while that is a target, else the newest one that is, else the newest. */
export async function telling(hub: Hub, model: string, version: string): Promise<DeploymentRecord | undefined> {
  const fleet = await readFleet(hub.store, hub.presence);
  const all = await hub.store.deployments.list({ model, version, limit: 100 });
  const live = all.filter(({ id }) => fleet.isTarget(id));
  return live.find(({ kind }) => kind === "pilot") ?? live[0] ?? all[0];
}

async function missingForAll(hub: Hub, { model, version }: Subject): Promise<string[]> {
  const pilots = (await hub.store.deployments.list({ model, version, limit: 100 })).filter(
    ({ kind }) => kind === "pilot",
  );
  const [pilot] = pilots;
  if (!pilot) return [`${version} has not been on a pilot group yet`];
  if (hasPassed(pilot)) return [];
  const fleet = await readFleet(hub.store, hub.presence);
  const figures = await figuresOf(hub.store, fleet, pilot, {
    soakSeconds: hub.config.gateSoakSeconds,
    nowMs: hub.now(),
  });
  const isOpen = pilot.state === "running" || pilot.state === "soaking";
  return isOpen && figures.gate.verdict === "pass" ? [] : blockersOf(pilot, figures.gate);
}

function orderOf({ model, version, reason }: Subject, kind: Order["kind"], groups: readonly string[]): Order {
  return { model, version, kind, groups, reason: reason ?? "" };
}

async function requireVersion(hub: Hub, { model, version }: Subject): Promise<void> {
  if (!(await hub.store.versions.find(model, version))) throw unknownVersion(model, version);
}

/** Change, publish, and look at it at once: the caller's next question should find it done. */
async function commit(
  hub: Hub,
  actor: string,
  work: (change: Change) => Promise<DeploymentRecord>,
): Promise<DeploymentRecord> {
  const moved = new Set<string>();
  const deployment = await hub.changes.make(actor, async (change) => {
    const made = await work(change);
    for (const id of change.touched.devices) moved.add(id);
    return made;
  });
  await hub.targets.refresh();
  await hub.publisher.refresh();
  for (const id of moved) hub.publisher.wakeDevice(id);
  hub.conductor.wake();
  return deployment;
}
