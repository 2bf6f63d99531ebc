// Questions that pages ask of the state: purely derived, nothing kept.
import {
  CLOSED_DEPLOYMENT_STATES,
  DEFAULT_MODEL,
  type Deployment,
  type Device,
  type Group,
  PINNED_PREFIX,
  type Version,
} from "@context-edge/protocol";
import type { FleetState } from "./state.ts";

export const devicesOf = ({ roster }: FleetState, group?: string): readonly Device[] =>
  group === undefined ? roster.all : (roster.byGroup.get(group) ?? []);

/** The pilot first, then by name, with numbers in their order. Pinned devices are groups of one: they show as devices. */
export const groupsOf = (state: FleetState): Group[] =>
  Object.values(state.groups)
    .filter(({ name }) => !name.startsWith(PINNED_PREFIX))
    .toSorted(
      (a, b) =>
        Number(b.name === "pilot") - Number(a.name === "pilot") ||
        a.name.localeCompare(b.name, undefined, { numeric: true }),
    );

export const versionsOf = (state: FleetState): Version[] =>
  Object.values(state.versions).toSorted((a, b) =>
    b.version_id.localeCompare(a.version_id, undefined, { numeric: true }),
  );

export const deploymentsOf = (state: FleetState): Deployment[] =>
  Object.values(state.deployments).toSorted((a, b) => (a.id < b.id ? 1 : -1));

export const versionsToReview = (state: FleetState): Version[] =>
  versionsOf(state).filter(({ stage }) => stage === "pending");

export const openDeployments = (state: FleetState): Deployment[] => deploymentsOf(state).filter(isOpen);

export const isOpen = (deployment: Deployment) => !CLOSED_DEPLOYMENT_STATES.includes(deployment.state);

/** Whether the group follows this very deployment now. */
export const isTargetOf = ({ groups }: FleetState, group: string, { id, model }: Deployment) =>
  groups[group]?.targets[model]?.deployment_id === id;

export const runningVersion = (device: Device) => device.models[DEFAULT_MODEL]?.current?.version ?? null;

/** The version that most devices run now. */
export function mostlyRunning(state: FleetState): Version | undefined {
  return Object.values(state.versions)
    .toSorted((a, b) => b.running_on - a.running_on)
    .find(({ running_on }) => running_on > 0);
}

/** Whoever says what troubles it, and whoever failed in a deployment that is over: an open one has a card of its own. */
export const devicesInTrouble = (state: FleetState): Device[] =>
  devicesOf(state).filter((device) => {
    if (device.trouble !== null) return true;
    const id = device.models[DEFAULT_MODEL]?.target?.deployment_id;
    const deployment = id === undefined ? undefined : state.deployments[id];
    return device.sync === "failed" && !(deployment && isOpen(deployment));
  });

export function troubleInWords(device: Device): string {
  if (device.trouble) return device.trouble.message;
  const model = device.models[DEFAULT_MODEL];
  const why = model?.last_outcome?.message;
  return `does not run ${model?.target?.version ?? "its target"}${why ? `: ${why}` : ""}`;
}

/** Who follows this deployment now. */
export function membersOf(state: FleetState, deployment: Deployment): Device[] {
  return deployment.groups
    .flatMap((group) => devicesOf(state, group))
    .filter((device) => device.models[deployment.model]?.target?.deployment_id === deployment.id);
}

/** It runs what it ran, on purpose: the wave of its group's deployment has not come to it. */
export function waitsForWave(state: FleetState, device: Device): boolean {
  const model = device.models[DEFAULT_MODEL];
  const deployment = state.deployments[model?.target?.deployment_id ?? ""];
  if (model?.sync !== "in-sync" || !deployment || model.current?.version === model.target?.version) return false;
  return (deployment.shares[device.group] ?? 1) < 1;
}

/** Whoever went wrong first, then those under way, then the others; each in its order. */
export function attentionFirst(devices: readonly Device[]): Device[] {
  const rank = (device: Device) => {
    if (device.trouble !== null || device.sync === "failed") return 0;
    const isMoving = Object.values(device.models).some(({ attempt }) => attempt !== null);
    if (isMoving) return 1;
    return device.sync === "in-sync" ? 3 : 2;
  };
  return devices.toSorted((a, b) => rank(a) - rank(b));
}

/** `3 devices of line-1 change from v2.0 to v2.1`, or that nothing changes. */
export function changeInWords(devices: readonly Device[], version: string, where: string): string {
  if (devices.length === 0) return `No device changes now: ${where} has none. Devices that come later run ${version}.`;
  const changing = changingTo(devices, version);
  if (changing.length === 0) return `No device of ${where} changes: all run ${version} already.`;
  const from = [...new Set(changing.map((device) => runningVersion(device) ?? "nothing"))].join(" and ");
  const count = changing.length === 1 ? "1 device" : `${changing.length} devices`;
  return `${count} of ${where} ${changing.length === 1 ? "changes" : "change"} from ${from} to ${version}.`;
}

/** `edge-001, edge-002 and 12 more`: whoever confirms sees whom it is about. */
export function namesOf(devices: readonly Device[], shown = 6): string {
  const names = devices.slice(0, shown).map(({ id }) => id);
  const rest = devices.length - names.length;
  return rest > 0 ? `${names.join(", ")} and ${rest} more` : names.join(", ");
}

/** Those that would change, to be named beside {@link changeInWords}. */
export const changingTo = (devices: readonly Device[], version: string): Device[] =>
  devices.filter((device) => runningVersion(device) !== version);
