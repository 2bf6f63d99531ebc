// How many devices of each group run what and stand how, kept from one look at the fleet to the next: only records that changed are counted again.
import { DEFAULT_MODEL, type Progress, type SyncState } from "@context-edge/protocol";
import { type OpenBin, openBinOf, settledBinOf } from "./core/progress.ts";
import type { Fleet } from "./fleet.ts";
import type { Standings } from "./standings.ts";
import type { TargetView } from "./core/sync.ts";
import type { DeviceRecord } from "./store/records.ts";

export interface Tally {
  ids: ReadonlySet<string>;
  /** Of the default model, like `versions`; those without a version are `none`. No entry is 0. */
  sync: Map<SyncState, number>;
  versions: Map<string, number>;
  /** By `model/digest`, and by the version that those bytes are to the device. */
  running: Map<string, Map<string, number>>;
}

/** How far devices have come towards their group's target. */
export interface Strides {
  settled: Map<Exclude<keyof Progress, "total" | OpenBin>, number>;
  /** Of these it matters too whether they are there, and whether they are late. */
  open: Map<OpenBin, Set<string>>;
}

type Roll = Pick<Fleet, "devices" | "devicesOf" | "targetView">;

export interface Tallies {
  /** @returns what holds until the next call. */
  of(roll: Roll, group: string): Tally | undefined;
  /** For one model; kept only for those that were asked for. */
  strides(roll: Roll, group: string, model: string): Strides | undefined;
  /** `running` of all groups together. */
  running(roll: Roll): Map<string, Map<string, number>>;
}

interface Kept extends Tally {
  ids: Set<string>;
  /** The targets by which it was counted, by model. */
  views: Map<string, TargetView | undefined>;
  /** By model. */
  strides: Map<string, Strides>;
}

export function rememberTallies(standings: Standings): Tallies {
  const byGroup = new Map<string, Kept>();
  let counted: readonly DeviceRecord[] = [];

  const count = (roll: Roll, device: DeviceRecord, by: 1 | -1) => {
    const { group_name: group, observed } = device;
    const tally = byGroup.get(group) ?? emptyTally();
    byGroup.set(group, tally);
    // What is taken away must be what was added, so the same targets as then.
    const viewOf = (model: string) => {
      if (!tally.views.has(model)) tally.views.set(model, roll.targetView(group, model));
      return tally.views.get(model);
    };
    if (by === 1) tally.ids.add(device.id);
    else tally.ids.delete(device.id);
    add(tally.sync, standings.of(device, DEFAULT_MODEL, viewOf(DEFAULT_MODEL)).sync, by);
    add(tally.versions, observed?.models[DEFAULT_MODEL]?.current?.version ?? "none", by);
    for (const [model, { current }] of Object.entries(observed?.models ?? {})) {
      if (!current) continue;
      const target = viewOf(model);
      const key = `${model}/${current.digest}`;
      const named = tally.running.get(key) ?? new Map<string, number>();
      // A device that has the bytes already does not put them under a new name.
      add(named, target?.digests.includes(current.digest) ? target.version : current.version, by);
      if (named.size > 0) tally.running.set(key, named);
      else tally.running.delete(key);
    }
    for (const [model, { settled, open }] of tally.strides) {
      const standing = standings.of(device, model, viewOf(model));
      const bin = settledBinOf(standing, standing.inWave);
      if (bin) add(settled, bin, by);
      else include(open, openBinOf(standing), device.id, by);
    }
    if (tally.ids.size === 0) byGroup.delete(group);
  };

  /** A record is replaced, never written to: the same object counts as it did. What went is taken away before anything is added. */
  const catchUp = (roll: Roll) => {
    const { devices } = roll;
    if (devices === counted) return;
    const former = counted;
    counted = devices;
    former.forEach((device, at) => device === devices[at] || count(roll, device, -1));
    devices.forEach((device, at) => device === former[at] || count(roll, device, 1));
  };

  const upToDate = (roll: Roll, group: string): Kept | undefined => {
    const kept = byGroup.get(group);
    if (!kept || [...kept.views].every(([model, view]) => view === roll.targetView(group, model))) return kept;
    return countAnew(roll, group, kept.strides.keys());
  };
  const countAnew = (roll: Roll, group: string, models: Iterable<string>): Kept => {
    const tally = emptyTally();
    for (const model of models) tally.strides.set(model, { settled: new Map(), open: new Map() });
    // In its place: taken out and put back, it would come up twice for whoever goes through all of them.
    byGroup.set(group, tally);
    for (const device of roll.devicesOf(group)) count(roll, device, 1);
    return tally;
  };

  return {
    of(roll, group) {
      catchUp(roll);
      return upToDate(roll, group);
    },
    strides(roll, group, model) {
      catchUp(roll);
      const kept = upToDate(roll, group);
      if (!kept || kept.strides.has(model)) return kept?.strides.get(model);
      return countAnew(roll, group, [...kept.strides.keys(), model]).strides.get(model);
    },
    running(roll) {
      catchUp(roll);
      const sum = new Map<string, Map<string, number>>();
      for (const group of byGroup.keys()) {
        for (const [key, named] of upToDate(roll, group)?.running ?? []) {
          const all = sum.get(key) ?? new Map<string, number>();
          for (const [name, devices] of named) add(all, name, devices);
          sum.set(key, all);
        }
      }
      return sum;
    },
  };
}

const emptyTally = (): Kept => ({
  ids: new Set(),
  sync: new Map(),
  versions: new Map(),
  running: new Map(),
  views: new Map(),
  strides: new Map(),
});

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  const sum = (counts.get(key) ?? 0) + by;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}

function include<K>(sets: Map<K, Set<string>>, key: K, id: string, by: 1 | -1): void {
  const ids = sets.get(key) ?? new Set();
  if (by === 1) ids.add(id);
  else ids.delete(id);
  if (ids.size > 0) sets.set(key, ids);
  else sets.delete(key);
}
