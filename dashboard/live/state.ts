// All that the dashboard knows of the fleet, by id, as the hub last told it.
import type { Deployment, Device, Group, Session, Version } from "@context-edge/protocol";

export type Connection = "connecting" | "live" | "lost";

/** The devices in order, and by group: made once per change, because every page asks for it and a fleet may be thousands. */
export interface Roster {
  all: readonly Device[];
  byGroup: ReadonlyMap<string, readonly Device[]>;
}

export interface FleetState {
  connection: Connection;
  /** Why it is lost, in a sentence; null when the stream was just cut, or nothing is wrong. */
  lostBecause: string | null;
  /** Whether the lists below were fetched at least once. */
  loaded: boolean;
  session: Session | null;
  devices: Readonly<Record<string, Device>>;
  roster: Roster;
  groups: Readonly<Record<string, Group>>;
  versions: Readonly<Record<string, Version>>;
  deployments: Readonly<Record<string, Deployment>>;
  /** Rises with every event, so that pages of history know to look again. */
  lastEventId: number;
}

export const NOBODY: Roster = { all: [], byGroup: new Map() };

export const EMPTY_STATE: FleetState = {
  connection: "connecting",
  lostBecause: null,
  loaded: false,
  session: null,
  devices: {},
  roster: NOBODY,
  groups: {},
  versions: {},
  deployments: {},
  lastEventId: 0,
};

/** Everything at once, after a start or a gap. */
export interface Snapshot {
  session: Session;
  devices: readonly Device[];
  groups: readonly Group[];
  versions: readonly Version[];
  deployments: readonly Deployment[];
}
