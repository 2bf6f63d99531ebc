// The newest heartbeat of each device, in memory: it costs no write, and whoever reads a device from the store sees it there.
import { hash } from "node:crypto";
import type { Observed } from "@context-edge/protocol";
import { errorsOf, steadyPart, stepsOf } from "./core/heartbeat.ts";
import type { DeviceRecord } from "./store/records.ts";
import type { Repositories, Store } from "./store/store.ts";

export interface Newest {
  group: string;
  outbox: string;
  number: number;
  observed: Observed;
  outcomeNumber: number;
  /** What the store has: a digest of the steady part, how far attempts had come, the errors, and when it was written. */
  stored: { number: number; steady: string; steps: string; errors: number; atMs: number };
  heardMs: number;
}

export interface NewestReports {
  of(deviceId: string): Newest | undefined;
  entries(): Iterable<[string, Newest]>;
  /** The store has this state now. */
  stored(device: DeviceRecord, atMs: number): void;
  /** A state that is only here. */
  heard(deviceId: string, number: number, observed: Observed, atMs: number): void;
  moved(deviceId: string, group: string): void;
  forget(deviceId: string): void;
  /** The same store, but devices read from it carry their newest state. */
  over(store: Store): Store;
}

type Devices = Repositories["devices"];
/** Every way to read devices: one that is added to the store and forgotten here does not compile. */
type DeviceReads = {
  [
    Name in keyof Devices as ReturnType<Devices[Name]> extends
      | Promise<DeviceRecord | undefined>
      | Promise<DeviceRecord[]>
      ? Name
      : never
  ]: Devices[Name];
};

export const steadyDigest = (observed: Observed) => hash("sha256", JSON.stringify(steadyPart(observed)), "base64");

export function rememberNewest(): NewestReports {
  const known = new Map<string, Newest>();

  const fresh = (device: DeviceRecord): DeviceRecord => {
    const newest = known.get(device.id);
    // Another outbox in the store: somebody else knows better, here is only the past.
    if (!newest || newest.outbox !== device.outbox || newest.number <= device.observed_number) return device;
    return { ...device, observed: newest.observed, observed_number: newest.number };
  };
  const overlaid = <T extends Repositories>(repositories: T): T => {
    const { devices } = repositories;
    const freshOr = (device: DeviceRecord | undefined) => device && fresh(device);
    const reads: DeviceReads = {
      list: async () => (await devices.list()).map(fresh),
      some: async (ids) => (await devices.some(ids)).map(fresh),
      after: async (id, limit) => (await devices.after(id, limit)).map(fresh),
      mentioning: async (words) => (await devices.mentioning(words)).map(fresh),
      find: async (id) => freshOr(await devices.find(id)),
      byCredential: async (credential) => freshOr(await devices.byCredential(credential)),
    };
    return { ...repositories, devices: { ...devices, ...reads } };
  };

  return {
    of: (id) => known.get(id),
    entries: () => known,
    stored(device, atMs) {
      const { outbox, observed } = device;
      const newest = known.get(device.id);
      if (outbox === null || observed === null) return;
      const stored = {
        number: device.observed_number,
        steady: steadyDigest(observed),
        steps: stepsOf(observed),
        errors: errorsOf(observed),
        atMs,
      };
      // Meanwhile a newer one may have been heard.
      const isOvertaken = newest?.outbox === outbox && newest.number > device.observed_number;
      known.set(device.id, {
        group: device.group_name,
        outbox,
        number: isOvertaken ? newest.number : device.observed_number,
        observed: isOvertaken ? newest.observed : observed,
        outcomeNumber: device.outcome_number,
        stored,
        heardMs: newest?.heardMs ?? atMs,
      });
    },
    heard(id, number, observed, atMs) {
      const newest = known.get(id);
      if (newest) known.set(id, { ...newest, number, observed, heardMs: atMs });
    },
    moved(id, group) {
      const newest = known.get(id);
      if (newest) known.set(id, { ...newest, group });
    },
    forget: (id) => void known.delete(id),
    over: (store) => ({
      ...overlaid(store),
      transaction: (work) => store.transaction((tx) => work(overlaid(tx))),
    }),
  };
}
