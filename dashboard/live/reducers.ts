// From one state to the next, purely: a snapshot replaces everything, a message replaces what it names.
import type { Event, LiveMessage, Session, Version } from "@context-edge/protocol";
import { EMPTY_STATE, type Connection, type FleetState, type Snapshot } from "./state.ts";

export const versionKey = (version: Pick<Version, "model" | "version_id">) => `${version.model}/${version.version_id}`;

export function applySnapshot(state: FleetState, snapshot: Snapshot): FleetState {
  return {
    ...state,
    loaded: true,
    session: snapshot.session,
    devices: Object.fromEntries(snapshot.devices.map((device) => [device.id, device])),
    groups: Object.fromEntries(snapshot.groups.map((group) => [group.name, group])),
    versions: Object.fromEntries(snapshot.versions.map((version) => [versionKey(version), version])),
    deployments: Object.fromEntries(snapshot.deployments.map((deployment) => [deployment.id, deployment])),
  };
}

/** Whoever is not signed in keeps nothing of what was shown before. */
export function applySession(state: FleetState, session: Session): FleetState {
  return session.signed_in ? { ...state, session } : { ...EMPTY_STATE, session };
}

export function applyConnection(
  state: FleetState,
  connection: Connection,
  lostBecause: string | null = null,
): FleetState {
  const isSame = state.connection === connection && state.lostBecause === lostBecause;
  return isSame ? state : { ...state, connection, lostBecause };
}

/** `reset` changes nothing here: whoever reads the stream fetches a snapshot. */
export function applyMessage(state: FleetState, message: LiveMessage): FleetState {
  switch (message.type) {
    case "device":
      return { ...state, devices: { ...state.devices, [message.device.id]: message.device } };
    case "group":
      return { ...state, groups: { ...state.groups, [message.group.name]: message.group } };
    case "version":
      return { ...state, versions: { ...state.versions, [versionKey(message.version)]: message.version } };
    case "deployment":
      return { ...state, deployments: { ...state.deployments, [message.deployment.id]: message.deployment } };
    case "event":
      return {
        ...state,
        lastEventId: Math.max(state.lastEventId, message.event.id),
        devices: without(state.devices, message.event),
      };
    case "reset":
      return state;
  }
}

/** A device that was decommissioned is gone; no message brings its state, because it has none any more. */
function without(devices: FleetState["devices"], { kind, subject }: Event): FleetState["devices"] {
  if (kind !== "device.decommissioned" || !(subject in devices)) return devices;
  return Object.fromEntries(Object.entries(devices).filter(([id]) => id !== subject));
}
