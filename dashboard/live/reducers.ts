// From one state to the next, purely: a snapshot replaces everything, messages replace what they name.
import type { Deployment, Device, Group, LiveMessage, Session, Version } from "@context-edge/protocol";
import { rosterOf, withChanges } from "./roster.ts";
import { EMPTY_STATE, type Connection, type FleetState, type Snapshot } from "./state.ts";

export const versionKey = (version: Pick<Version, "model" | "version_id">) => `${version.model}/${version.version_id}`;

export function applySnapshot(state: FleetState, snapshot: Snapshot): FleetState {
  return {
    ...state,
    loaded: true,
    session: snapshot.session,
    devices: Object.fromEntries(snapshot.devices.map((device) => [device.id, device])),
    roster: rosterOf(snapshot.devices),
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

/** The newest of each, gathered: a batch of a thousand messages copies each list once. */
interface Gathered {
  devices: Map<string, Device>;
  gone: Set<string>;
  groups: Map<string, Group>;
  goneGroups: Set<string>;
  versions: Map<string, Version>;
  deployments: Map<string, Deployment>;
  lastEventId: number;
}

type Gather = {
  [Type in LiveMessage["type"]]: (into: Gathered, message: Extract<LiveMessage, { type: Type }>) => void;
};

const GATHER: Gather = {
  device: ({ devices, gone }, { device }) => {
    devices.set(device.id, device);
    gone.delete(device.id);
  },
  group: ({ groups, goneGroups }, { group }) => {
    groups.set(group.name, group);
    goneGroups.delete(group.name);
  },
  version: ({ versions }, { version }) => void versions.set(versionKey(version), version),
  deployment: ({ deployments }, { deployment }) => void deployments.set(deployment.id, deployment),
  event: (into, { event }) => {
    into.lastEventId = Math.max(into.lastEventId, event.id);
    // No message brings the state of what was decommissioned or deleted, because it has none any more.
    if (event.kind === "device.decommissioned") {
      into.devices.delete(event.subject);
      into.gone.add(event.subject);
    } else if (event.kind === "group.deleted") {
      into.groups.delete(event.subject);
      into.goneGroups.add(event.subject);
    }
  },
  // Changes nothing here: whoever reads the stream fetches a snapshot.
  reset: () => undefined,
};

export function applyMessages(state: FleetState, messages: readonly LiveMessage[]): FleetState {
  const gathered: Gathered = {
    devices: new Map(),
    gone: new Set(),
    groups: new Map(),
    goneGroups: new Set(),
    versions: new Map(),
    deployments: new Map(),
    lastEventId: state.lastEventId,
  };
  for (const message of messages)
    (GATHER[message.type] as (into: Gathered, message: LiveMessage) => void)(gathered, message);
  const gone = new Set([...gathered.gone].filter((id) => id in state.devices));
  const touchesDevices = gathered.devices.size > 0 || gone.size > 0;
  const groups = without(merged(state.groups, gathered.groups), gathered.goneGroups);
  const versions = merged(state.versions, gathered.versions);
  const deployments = merged(state.deployments, gathered.deployments);
  const { lastEventId } = gathered;
  const isSame =
    !touchesDevices &&
    groups === state.groups &&
    versions === state.versions &&
    deployments === state.deployments &&
    lastEventId === state.lastEventId;
  if (isSame) return state;
  const next = { ...state, groups, versions, deployments, lastEventId };
  if (!touchesDevices) return next;
  const devices = { ...state.devices, ...Object.fromEntries(gathered.devices) };
  for (const id of gone) delete devices[id];
  return { ...next, devices, roster: withChanges(state.roster, gathered.devices, gone) };
}

function without<T>(known: Readonly<Record<string, T>>, gone: ReadonlySet<string>): Readonly<Record<string, T>> {
  if (![...gone].some((name) => name in known)) return known;
  return Object.fromEntries(Object.entries(known).filter(([name]) => !gone.has(name)));
}

function merged<T>(known: Readonly<Record<string, T>>, newer: ReadonlyMap<string, T>): Readonly<Record<string, T>> {
  return newer.size === 0 ? known : { ...known, ...Object.fromEntries(newer) };
}
