// Deploying: to a pilot, to all groups once the gate has passed, to one group, and back again.
import { type DeploymentState, type DeployReply, type GatePolicy, PINNED_PREFIX } from "@context-edge/protocol";
import type { Change } from "../changes.ts";
import { DEFAULT_GROUP, formPilot } from "../devices.ts";
import { blockersOf, defaultGate, figuresOf, hasPassed } from "../facts.ts";
import type { Fleet } from "../fleet.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { unknownVersion } from "../deployable.ts";
import { planOfOneStep } from "../core/plan.ts";
import { restoreTargets } from "../restore.ts";
import { openDeployment, type Order } from "../rollout.ts";
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
  const look = await hub.fleet();
  return commit(hub, actor, async (change) => {
    await change.tx.groups.ensure(pilotGroup, change.at);
    await formPilot(change, pilotGroup, deviceIds);
    const order = orderOf(subject, "pilot", [pilotGroup], defaultGate(hub.config));
    const before = targetsOfOrigin(look, pilotGroup, deviceIds);
    // What else its devices run, they go on running in a group that had nothing to say of it.
    for (const [model, version] of before) {
      if (model === subject.model || look.targetView(pilotGroup, model)) continue;
      const reason = "what its devices ran in the groups they come from";
      await openDeployment(change, orderOf({ model, version, reason }, "group", [pilotGroup]), look, seen);
    }
    const earlier = before.get(subject.model);
    const cameFrom = earlier === undefined ? {} : { [pilotGroup]: earlier };
    return openDeployment(change, { ...order, cameFrom }, look, seen);
  });
}

/** By model, the version that most of these devices had as their target before they joined the pilot. */
function targetsOfOrigin(look: Fleet, pilotGroup: string, ids: readonly string[]): Map<string, string> {
  const groups = ids.flatMap((id) => look.device(id)?.group_name ?? []).filter((group) => group !== pilotGroup);
  const found = new Map<string, string>();
  for (const model of new Set(look.targets.map((target) => target.model))) {
    const versions = groups.flatMap((group) => look.targetView(group, model)?.version ?? []);
    const counted = [...Map.groupBy(versions, (version) => version)].toSorted((a, b) => b[1].length - a[1].length);
    if (counted[0]) found.set(model, counted[0][0]);
  }
  return found;
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
  const look = await hub.fleet();
  return commit(hub, actor, async (change) => {
    await change.tx.groups.ensure(DEFAULT_GROUP, change.at);
    // Pinned devices are in groups of their own, and stay on what they are pinned to.
    const groups = (await change.tx.groups.list()).flatMap(({ name }) =>
      name.startsWith(PINNED_PREFIX) ? [] : [name],
    );
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
      look,
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
  const fleet = await hub.fleet();
  if (!fleet.groups.some(({ name }) => name === group)) {
    throw new ProblemError("GROUP_UNKNOWN", `There is no group ${group}.`, {
      nextStep: "List the groups with GET /api/v1/groups.",
    });
  }
  await requireVersion(hub, subject);
  return commit(hub, actor, (change) => openDeployment(change, orderOf(subject, "group", [group]), fleet, seen));
}

/** Every group whose target is this version goes to `to`. */
export async function rollBackVersion(
  hub: Hub,
  actor: string,
  subject: Subject,
  to: string,
): Promise<DeploymentRecord> {
  const seen = await hub.targets.seen();
  const fleet = await hub.fleet();
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
    openDeployment(change, orderOf({ ...subject, version: to }, "rollback", groups), fleet, seen),
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
  const look = await hub.fleet();
  return commit(hub, actor, (change) => restoreTargets(change, deployment, reason ?? "", look, seen));
}

/** What a script is told: who will move, in one sentence. */
export async function deployReply(hub: Hub, deployment: DeploymentRecord): Promise<DeployReply> {
  const fleet = await hub.fleet();
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
  const fleet = await hub.fleet();
  const all = await hub.store.deployments.list({ model, version, limit: 100 });
  const live = all.filter(({ id }) => fleet.isTarget(id));
  return live.find(({ kind }) => kind === "pilot") ?? live[0] ?? all[0];
}

async function missingForAll(hub: Hub, { model, version }: Subject): Promise<string[]> {
  const newestFirst = await hub.store.deployments.list({ model, version, limit: 100 });
  const pilot = newestFirst.find(({ kind }) => kind === "pilot");
  if (!pilot) return [`${version} has not been on a pilot group yet`];
  const gone = newestFirst.find(({ id, state }) => id > pilot.id && WENT_WRONG.has(state));
  if (gone) return [`${version} has been on a pilot, but later: ${gone.state_reason}`];
  if (hasPassed(pilot)) return [];
  const fleet = await hub.fleet();
  const figures = await figuresOf(hub.store, fleet, pilot, hub.now());
  const isOpen = pilot.state === "running" || pilot.state === "soaking";
  return isOpen && figures.gate?.verdict === "pass" ? [] : blockersOf(pilot, figures.gate);
}

/** What a pilot has proved is void once the version was taken back from others. */
const WENT_WRONG: ReadonlySet<DeploymentState> = new Set(["paused", "rolling-back", "rolled-back"]);

function orderOf(
  { model, version, reason }: Subject,
  kind: Order["kind"],
  groups: readonly string[],
  gate: GatePolicy | null = null,
): Order {
  return { model, version, kind, plan: planOfOneStep(groups, gate), reason: reason ?? "" };
}

async function requireVersion(hub: Hub, { model, version }: Subject): Promise<void> {
  if (!(await hub.store.versions.find(model, version))) throw unknownVersion(model, version);
}

/** Change, publish, and look at it at once: the caller's next question should find it done. */
export async function commit(
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
