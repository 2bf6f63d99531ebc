// Who wins about a device's group, the hub or the label of its node, and what is to be done about it. The one place where that is decided.
import {
  GROUP_LABEL,
  GroupName,
  type GroupsDecidedBy,
  type NodeTrouble,
  PINNED_PREFIX,
  pinnedGroupOf,
} from "@context-edge/protocol";

/** A value of a label: at most 63 characters, a letter or digit at both ends (Kubernetes, "Labels and Selectors"). */
const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** An empty label says nothing. Groups of one are the hub's own: a label cannot pin. */
export const groupOfLabel = (label: string | null): string | null =>
  label !== null && GroupName.safeParse(label).success && !label.startsWith(PINNED_PREFIX) ? label : null;

export interface Wishes {
  /** Where the join token puts its devices. */
  token: string | null;
  /** What the node's label says. */
  label: string | null;
  /** What the agent asks for. */
  device: string | undefined;
}

/**
 * The group of a device that enrols for the first time. Where the hub decides, what an admin of the hub wrote into the token comes
 * before the label; where labels decide, the label would move it a moment later anyway.
 */
export function groupAtEnrolment(decidedBy: GroupsDecidedBy, wishes: Wishes): string | null {
  const label = groupOfLabel(wishes.label);
  const byAdmins = decidedBy === "hub" ? (wishes.token ?? label) : (label ?? wishes.token);
  return byAdmins ?? wishes.device ?? null;
}

export interface DevicePlace {
  id: string;
  group_name: string;
  home_group: string | null;
}

/** A stay in the pilot or on a pin is for a while: the label says where the device belongs. Null: nobody remembers. */
export function homeOf({ id, group_name, home_group }: DevicePlace): string | null {
  return home_group ?? (group_name === pinnedGroupOf(id) ? null : group_name);
}

export type LabelStep =
  | { do: "nothing" }
  /** Write this into the node's label. */
  | { do: "write"; group: string }
  /** Move the device there. */
  | { do: "move"; group: string }
  /** It is in the pilot or pinned: it stays, and goes there when it leaves. */
  | { do: "rehome"; group: string }
  | { do: "complain"; trouble: NodeTrouble };

export interface LabelCase {
  device: DevicePlace;
  node: string;
  label: string | null;
  decidedBy: GroupsDecidedBy;
  pilotGroup: string;
  defaultGroup: string;
  hasGroup: (name: string) => boolean;
}

const refused = (message: string, next_step: string): LabelStep => ({
  do: "complain",
  trouble: { code: "LABEL_REFUSED", message, next_step },
});

export function labelStep(one: LabelCase): LabelStep {
  return one.decidedBy === "hub" ? stepOfHub(one) : stepOfLabel(one);
}

function stepOfHub({ device, node, label, defaultGroup }: LabelCase): LabelStep {
  const home = homeOf(device);
  // A node without the label is in the default group by saying nothing.
  if (home === null || home === label || (label === null && home === defaultGroup)) return { do: "nothing" };
  if (LABEL_VALUE.test(home)) return { do: "write", group: home };
  return refused(
    `Group ${home} cannot be written into the label of ${node}: values have at most 63 characters and end with a letter or digit`,
    "Move its devices to a group with such a name, or live without the label.",
  );
}

function stepOfLabel({ device, node, label, pilotGroup, hasGroup }: LabelCase): LabelStep {
  if (label === null || label === "") return { do: "nothing" };
  const group = groupOfLabel(label);
  if (group === null)
    return refused(
      `The label of ${node} says ${label}, which is no name that a group may have`,
      `Correct it: kubectl label node ${node} ${GROUP_LABEL}=GROUP --overwrite`,
    );
  if (device.group_name === group || device.home_group === group) return { do: "nothing" };
  // Made by itself, a misspelled group would take a device to where it has no target.
  if (!hasGroup(group))
    return refused(
      `The label of ${node} says ${group}, and there is no such group`,
      `Create the group, or correct it: kubectl label node ${node} ${GROUP_LABEL}=GROUP --overwrite`,
    );
  const isAway = device.group_name === pilotGroup || device.group_name === pinnedGroupOf(device.id);
  return isAway ? { do: "rehome", group } : { do: "move", group };
}

/**
 * Whether a person may move this device there. Into the pilot and back home is a deployment's business, and stays so.
 * @returns the group that the label names, where that forbids it
 */
export function moveForbiddenBy(
  decidedBy: GroupsDecidedBy,
  label: string | null,
  to: string,
  pilotGroup: string,
): string | null {
  const group = groupOfLabel(label);
  return decidedBy === "label" && group !== null && to !== group && to !== pilotGroup ? group : null;
}
