// Pinning: a device that must stay on one version follows a group of its own, until it is unpinned and goes back.
import { PINNED_PREFIX, pinnedGroupOf } from "@context-edge/protocol";
import { DEFAULT_GROUP, ensureGroup, findDevice, moveDevice } from "../devices.ts";
import type { Hub } from "../hub.ts";
import { ProblemError } from "../problem-error.ts";
import { openDeployment } from "../rollout.ts";
import { planOfOneStep } from "../core/plan.ts";
import { commit } from "./deploy.ts";

export interface Pin {
  model: string;
  version: string;
  reason: string;
}

const LONGEST_NAME = 128;

/** @throws VERSION_UNKNOWN, VERSION_NOT_DEPLOYABLE, or CONFLICT when somebody acts on it at the same moment */
export async function pinDevice(hub: Hub, actor: string, id: string, { model, version, reason }: Pin): Promise<void> {
  const group = pinnedGroupOf(id);
  if (group.length > LONGEST_NAME)
    throw new ProblemError("BAD_REQUEST", "The name of this device is too long to be pinned.");
  const seen = await hub.targets.seen();
  const look = await hub.fleet();
  await commit(hub, actor, async (change) => {
    const device = await findDevice(change.tx, id);
    const home = device.home_group ?? device.group_name;
    await ensureGroup(change, group);
    await moveDevice(change, device, group, home);
    await change.tell("device.pinned", id, `${actor} pinned ${id} to ${version}: ${reason}`, {
      model,
      version,
      reason,
    });
    const order = { kind: "group", model, version, reason, plan: planOfOneStep([group], null) } as const;
    return openDeployment(change, order, look, seen);
  });
}

/** Back to where it came from, and to what runs there. */
export async function unpinDevice(hub: Hub, actor: string, id: string): Promise<void> {
  const home = await hub.changes.make(actor, async (change) => {
    const device = await findDevice(change.tx, id);
    if (!device.group_name.startsWith(PINNED_PREFIX)) throw new ProblemError("CONFLICT", `${id} is not pinned.`);
    const group = device.home_group ?? DEFAULT_GROUP;
    await moveDevice(change, device, group, null);
    await change.tell("device.unpinned", id, `${actor} unpinned ${id}; it follows ${group} again`);
    return group;
  });
  await hub.publisher.refresh([home]);
  hub.publisher.wakeDevice(id);
  hub.conductor.wake();
}
