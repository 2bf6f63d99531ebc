// Deployments with a plan: groups in order, waves, a start time, and what would happen before anything is published.
import {
  chooseVariant,
  CLOSED_DEPLOYMENT_STATES,
  isInWave,
  type CreateDeploymentRequest,
  type DeploymentPreview,
  type DeploymentState,
} from "@context-edge/protocol";
import { planOf, sharesAfter, whatIsWrongWith } from "../core/plan.ts";
import { devices as count } from "../core/say.ts";
import { unknownVersion, whyNotDeployable } from "../deployable.ts";
import { defaultGate } from "../facts.ts";
import type { Fleet } from "../fleet.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { newDeploymentId, openDeployment, planDeployment, type Order } from "../rollout.ts";
import { earlierOf } from "../supersede.ts";
import type { DeploymentRecord, DeviceRecord, VersionRecord } from "../store/records.ts";
import { commit } from "./deploy.ts";
import { parseModel } from "./register.ts";

export async function createDeployment(
  hub: Hub,
  actor: string,
  request: CreateDeploymentRequest,
): Promise<DeploymentRecord> {
  const seen = await hub.targets.seen();
  const order = await orderOf(hub, request);
  const { start_at: startAt } = order.plan;
  const isLater = startAt !== null && Date.parse(startAt) > hub.now();
  if (!request.draft && !isLater) {
    const look = await hub.fleet();
    return commit(hub, actor, (change) => openDeployment(change, order, look, seen));
  }
  const state: DeploymentState = request.draft ? "draft" : "scheduled";
  const reason = request.draft ? `Drafted by ${actor}` : `Begins at ${startAt}`;
  return commit(hub, actor, (change) => planDeployment(change, order, state, reason));
}

async function orderOf(hub: Hub, request: CreateDeploymentRequest): Promise<Order> {
  const model = parseModel(request.model);
  const fleet = await hub.fleet();
  const wrong = whatIsWrongWith(request);
  if (wrong !== null) throw new ProblemError("BAD_REQUEST", `This plan makes no sense: ${wrong}.`);
  const stranger = request.groups.find((name) => !fleet.groups.some((group) => group.name === name));
  if (stranger !== undefined) {
    throw new ProblemError("GROUP_UNKNOWN", `There is no group ${stranger}.`, {
      nextStep: "List the groups with GET /api/v1/groups.",
    });
  }
  const plan = planOf(request, defaultGate(hub.config));
  return { kind: "waves", model, version: request.version, plan, reason: request.reason ?? "", id: request.id };
}

/** Publishes nothing and writes nothing. */
export async function previewDeployment(hub: Hub, request: CreateDeploymentRequest): Promise<DeploymentPreview> {
  const { plan, model } = await orderOf(hub, request);
  const fleet = await hub.fleet();
  const version = await hub.store.versions.find(model, request.version);
  if (!version) throw unknownVersion(model, request.version);
  const id = request.id ?? newDeploymentId(hub.now());
  const groups = request.groups.map((group) => previewGroup(hub, fleet, version, group));
  const steps = stepsOf(fleet, plan, id);
  const total = sum(groups.map((group) => group.devices));
  const fitting = sum(groups.map((group) => group.fitting));
  return {
    id,
    sentence: sentenceOf(total, fitting, groups),
    devices_total: total,
    fitting,
    groups,
    steps,
    warnings: [
      ...(await warningsOf(hub, version, request.groups)),
      ...emptySteps(steps),
      ...noWayBack(fleet, request, model),
    ],
  };
}

type GroupPreview = DeploymentPreview["groups"][number];

function membersOf(fleet: Fleet, group: string): DeviceRecord[] {
  return fleet.devices.filter((device) => device.group_name === group);
}

function previewGroup({ presence }: Hub, fleet: Fleet, version: VersionRecord, group: string): GroupPreview {
  const { model } = version;
  const members = membersOf(fleet, group);
  const digests = new Set(version.variants.map(({ digest }) => digest));
  const incompatible = members.flatMap((device) => {
    const inventory = device.observed?.inventory;
    if (!inventory) return [{ device: device.id, why: "it has not said yet what it is" }];
    const choice = chooseVariant(version.variants, inventory);
    return choice.ok ? [] : [{ device: device.id, why: `no variant for it: needed is ${choice.unmet}` }];
  });
  return {
    group,
    from: fleet.targetView(group, model)?.version ?? null,
    devices: members.length,
    fitting: members.length - incompatible.length,
    offline: members.filter(({ id }) => !presence.isOnline(id)).length,
    held: members.filter((device) => fleet.standing(device, model).sync === "held").length,
    running: members.filter((device) => digests.has(device.observed?.models[model]?.current?.digest ?? "")).length,
    incompatible,
  };
}

/** "46 of 50 devices have a fitting variant, 4 do not: edge-7 (…), …" */
function sentenceOf(total: number, fitting: number, groups: readonly GroupPreview[]): string {
  const lacking = groups.flatMap((group) => group.incompatible);
  if (lacking.length === 0) return `All ${count(total)} have a fitting variant.`;
  const named = lacking.slice(0, 5).map(({ device, why }) => `${device} (${why})`);
  const more = lacking.length > named.length ? ` and ${lacking.length - named.length} more` : "";
  return `${fitting} of ${count(total)} have a fitting variant, ${lacking.length} do not: ${named.join("; ")}${more}.`;
}

function stepsOf(fleet: Fleet, plan: ReturnType<typeof planOf>, id: string): DeploymentPreview["steps"] {
  const idsOf = (group: string) => membersOf(fleet, group).map((device) => device.id);
  let shares: Record<string, number> = {};
  return plan.steps.map((step, index) => {
    const before = shares;
    shares = sharesAfter(plan, index, before, idsOf, id);
    const moves = (group: string) =>
      idsOf(group).filter(
        (device) => isInWave(device, id, shares[group] ?? 0) && !isInWave(device, id, before[group] ?? 0),
      );
    return { groups: step.groups, devices: step.groups.flatMap(moves) };
  });
}

function emptySteps(steps: DeploymentPreview["steps"]): string[] {
  return steps.flatMap(({ groups, devices }, index) =>
    devices.length === 0
      ? [`Step ${index + 1} of ${steps.length} (${groups.join(", ")}) moves no device as things stand.`]
      : [],
  );
}

function noWayBack(fleet: Fleet, { groups, version }: CreateDeploymentRequest, model: string): string[] {
  const without = groups.filter((group) => earlierOf(fleet, group, { model, version }).previous === null);
  if (without.length === 0) return [];
  return [
    `${without.join(", ")} ${without.length === 1 ? "has" : "have"} no earlier version that a rollback could give back.`,
  ];
}

async function warningsOf(hub: Hub, version: VersionRecord, groups: readonly string[]): Promise<string[]> {
  const refusal = whyNotDeployable(version);
  const pending = version.stage === "pending" ? [`${version.version_id} is pending: deploying it approves it.`] : [];
  const open = (await hub.store.deployments.open()).filter(
    (one) =>
      one.model === version.model &&
      !CLOSED_DEPLOYMENT_STATES.includes(one.state) &&
      one.groups.some((group) => groups.includes(group)),
  );
  return [
    ...(refusal ? [refusal.detail] : []),
    ...pending,
    ...open.map(
      (one) =>
        `The deployment of ${one.version} to ${one.groups.join(", ")} is ${one.state} and would be superseded there.`,
    ),
  ];
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
