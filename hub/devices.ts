// Devices of the hub: enrolment by join token, credentials, and moving between groups.
import { randomBytes } from "node:crypto";
import { type EnrollReply, type EnrollRequest, pinnedGroupOf } from "@context-edge/protocol";
import { hashSecret } from "./auth/secrets.ts";
import type { Cluster } from "./cluster/cluster.ts";
import type { Change, Changes } from "./changes.ts";
import { groupAtEnrolment, groupOfLabel } from "./core/cluster-groups.ts";
import { nextSequence } from "./core/desired.ts";
import { DEFAULT_GROUP, unknownGroup } from "./operations/groups.ts";
import { mayEnrolAgain, useJoinToken } from "./operations/tokens.ts";
import { ProblemError } from "./problem-error.ts";
import type { DeviceRecord } from "./store/records.ts";
import type { Repositories } from "./store/store.ts";

export { DEFAULT_GROUP };

export async function enroll(
  changes: Changes,
  fileToken: string | undefined,
  request: EnrollRequest,
  cluster: Pick<Cluster, "decidedBy" | "labelOf">,
): Promise<EnrollReply> {
  // An agent in a cluster is named after its node.
  const seen = cluster.labelOf(request.device_id);
  const label = seen.is === "read" ? seen.label : null;
  const credential = `ced_${randomBytes(32).toString("base64url")}`;
  return changes.make(`device ${request.device_id}`, async ({ tx, at, touched, tell }) => {
    const admission = await useJoinToken(tx, request.join_token, { fileToken, at });
    const known = await tx.devices.find(request.device_id);
    if (!admission || !mayEnrolAgain(admission, known)) {
      throw new ProblemError("JOIN_TOKEN_REFUSED", "This join token does not admit this device here.", {
        nextStep: "Copy a join token of the hub that is in force to the device.",
      });
    }
    if (known?.revoked) {
      throw new ProblemError("DEVICE_REVOKED", `${request.device_id} was revoked.`, {
        nextStep: "Ask an admin to admit it again.",
      });
    }
    const wishes = { token: admission.group ?? null, label, device: request.group };
    const group = known?.group_name ?? groupAtEnrolment(cluster.decidedBy, wishes) ?? DEFAULT_GROUP;
    if (await tx.groups.ensure(group, at))
      await tell("group.created", group, `Group ${group} was created by a device that enrolled`);
    const device: DeviceRecord = {
      id: request.device_id,
      group_name: group,
      home_group: known?.home_group ?? null,
      credential_hash: hashSecret(credential),
      enrolled_at: known?.enrolled_at ?? at,
      last_seen: at,
      revoked: false,
      assignment_sequence: known?.assignment_sequence ?? nextSequence(0, Date.parse(at)),
      hold: known?.hold ?? null,
      outbox: known?.outbox ?? null,
      observed_number: known?.observed_number ?? 0,
      outcome_number: known?.outcome_number ?? 0,
      observed: known?.observed ?? null,
      last_outcomes: known?.last_outcomes ?? {},
    };
    await tx.devices.put(device);
    touched.devices.add(device.id);
    touched.groups.add(group);
    const how = known ? "enrolled again; its earlier credential is void" : "enrolled";
    const byLabel = !known && group === groupOfLabel(label) ? ", as the label of its node says" : "";
    await tell("device.enrolled", device.id, `${device.id} ${how} in group ${group}${byLabel}`, {
      inventory: request.inventory,
      admitted_by: admission.by,
      // Once it can be read, it counts, unless somebody said meanwhile where the device goes.
      ...(!known && seen.is === "unread" && group === DEFAULT_GROUP ? { label_unread: true } : {}),
    });
    return { device_id: device.id, group, credential };
  });
}

/** @throws GROUP_UNKNOWN: a misspelled group would live for ever. @param home where it returns to when it leaves; null when that is not to be remembered. */
export async function moveDevice(
  { tx, at, actor, touched, tell }: Change,
  device: DeviceRecord,
  group: string,
  home: string | null,
): Promise<void> {
  if (device.group_name === group) return;
  if (!(await tx.groups.find(group))) throw unknownGroup(group);
  const assignment_sequence = nextSequence(device.assignment_sequence, Date.parse(at));
  await tx.devices.assign(device.id, { group_name: group, home_group: home, assignment_sequence });
  touched.devices.add(device.id);
  touched.groups.add(group).add(device.group_name);
  await tell("device.moved", device.id, `${actor} moved ${device.id} from ${device.group_name} to ${group}`, {
    from: device.group_name,
    to: group,
  });
}

const HOUR_MS = 3_600_000;

/** @param wish null ends the hub's hold; one that was set at the device is not the hub's to end. */
export async function holdDevice(
  { tx, at, actor, touched, tell }: Change,
  device: DeviceRecord,
  wish: { hours: number; reason: string } | null,
): Promise<void> {
  if (wish === null && device.hold === null) return;
  const until = wish && new Date(Date.parse(at) + wish.hours * HOUR_MS).toISOString();
  const hold = wish && until ? { until, reason: wish.reason } : null;
  await tx.devices.hold(device.id, {
    hold,
    assignment_sequence: nextSequence(device.assignment_sequence, Date.parse(at)),
  });
  touched.devices.add(device.id);
  if (hold)
    await tell("device.held", device.id, `${actor} holds ${device.id} until ${hold.until}: ${hold.reason}`, { hold });
  else await tell("device.released", device.id, `${actor} ended the hold of ${device.id}`);
}

/** Makes the pilot group exactly these devices: whoever else was in it goes back to where it came from. */
export async function formPilot(change: Change, pilotGroup: string, ids: readonly string[]): Promise<void> {
  const devices = await change.tx.devices.list();
  const wanted = new Set(ids);
  const groups = new Set((await change.tx.groups.list()).map(({ name }) => name));
  for (const id of wanted) {
    const device = devices.find((one) => one.id === id && !one.revoked);
    if (!device) throw unknownDevice(id);
    if (device.group_name === pinnedGroupOf(id)) {
      throw new ProblemError("CONFLICT", `${id} is pinned to a version of its own.`, { nextStep: "Unpin it first." });
    }
  }
  for (const device of devices) {
    if (wanted.has(device.id)) {
      if (device.group_name !== pilotGroup) await moveDevice(change, device, pilotGroup, device.group_name);
    } else if (device.group_name === pilotGroup) {
      const home = device.home_group !== null && groups.has(device.home_group) ? device.home_group : DEFAULT_GROUP;
      await ensureGroup(change, home);
      await moveDevice(change, device, home, null);
    }
  }
}

/** @returns whether there was none of that name */
export async function ensureGroup({ tx, at, actor, tell }: Change, group: string): Promise<boolean> {
  const isNew = await tx.groups.ensure(group, at);
  if (isNew) await tell("group.created", group, `${actor} created group ${group}`);
  return isNew;
}

export function unknownDevice(id: string): ProblemError {
  return new ProblemError("DEVICE_UNKNOWN", `There is no device ${id}.`, {
    nextStep: "List the devices with GET /api/v1/devices.",
  });
}

export async function findDevice(store: Repositories, id: string): Promise<DeviceRecord> {
  const device = await store.devices.find(id);
  if (!device || device.revoked) throw unknownDevice(id);
  return device;
}
