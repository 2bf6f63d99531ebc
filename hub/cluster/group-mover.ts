// Moves a device to where its node's label says: decided anew inside the transaction, so that nobody's move in between is lost.
import type { Change, Changes } from "../changes.ts";
import { groupOfLabel, type LabelStep } from "../core/cluster-groups.ts";
import { DEFAULT_GROUP, moveDevice } from "../devices.ts";
import type { Publisher } from "../publisher.ts";
import type { DeviceRecord, GroupRecord } from "../store/records.ts";

export interface GroupMover {
  follow(id: string, stepOf: (device: DeviceRecord, groups: readonly GroupRecord[]) => LabelStep): Promise<void>;
  /**
   * For a device that enrolled while the label could not be read, and that nobody has moved since: it goes where the label says.
   * @returns whether it was such a device
   */
  adopt(id: string, label: string | null): Promise<boolean>;
}

interface Ports {
  changes: Pick<Changes, "make">;
  publisher: Pick<Publisher, "refresh" | "wakeDevice">;
  wakeConductor: () => void;
}

const ACTOR = "cluster";

export function groupMover({ changes, publisher, wakeConductor }: Ports): GroupMover {
  const after = async (id: string, group: string) => {
    await publisher.refresh([group]);
    publisher.wakeDevice(id);
    wakeConductor();
  };
  return {
    async follow(id, stepOf) {
      const moved = await changes.make(ACTOR, async (change) => {
        const device = await change.tx.devices.find(id);
        if (!device || device.revoked) return null;
        const step = stepOf(device, await change.tx.groups.list());
        if (step.do === "move") await moveDevice(change, device, step.group, null);
        else if (step.do === "rehome") await rehome(change, device, step.group);
        return step.do === "move" ? step.group : null;
      });
      if (moved !== null) await after(id, moved);
    },
    async adopt(id, label) {
      const group = groupOfLabel(label);
      if (group === null) return false;
      const isAdopted = await changes.make(ACTOR, async (change) => {
        const device = await change.tx.devices.find(id);
        if (device?.group_name !== DEFAULT_GROUP || device.revoked || !(await enrolledUnread(change, id))) return false;
        if (await change.tx.groups.ensure(group, change.at))
          await change.tell("group.created", group, `Group ${group} was created by the label of node ${id}`);
        await moveDevice(change, device, group, null);
        return true;
      });
      if (isAdopted) await after(id, group);
      return isAdopted;
    },
  };
}

/** Nothing changes for the device itself yet, so its assignment stays as it is signed. */
async function rehome({ tx, touched, tell }: Change, device: DeviceRecord, group: string): Promise<void> {
  const { id, group_name, home_group, assignment_sequence } = device;
  await tx.devices.assign(id, { group_name, home_group: group, assignment_sequence });
  touched.devices.add(id);
  touched.groups.add(group_name);
  await tell("device.rehomed", id, `${id} goes to ${group} when it leaves ${group_name}: its node's label says so`, {
    from: home_group,
    to: group,
  });
}

/** The history remembers it, on whichever hub it enrolled. */
async function enrolledUnread({ tx }: Change, id: string): Promise<boolean> {
  const newest = async (kind: string) => (await tx.events.newest(1, undefined, { subject: id, kind }))[0];
  const [enrolled, moved] = [await newest("device.enrolled"), await newest("device.moved")];
  return enrolled?.data["label_unread"] === true && (moved?.id ?? 0) < enrolled.id;
}
