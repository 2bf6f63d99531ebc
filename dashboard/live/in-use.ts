// Which versions devices run, counted; the most common first. Pure.
import { DEFAULT_MODEL, type Device } from "@context-edge/protocol";

export interface VersionInUse {
  /** `nothing` where none is installed. */
  version: string;
  devices: number;
  /** At least one of them is told to run it. */
  wanted: boolean;
}

export function versionsInUse(devices: readonly Device[]): VersionInUse[] {
  const counts = new Map<string, VersionInUse>();
  for (const { models } of devices) {
    const model = models[DEFAULT_MODEL];
    const version = model?.current?.version ?? "nothing";
    const entry = counts.get(version) ?? { version, devices: 0, wanted: false };
    entry.devices += 1;
    entry.wanted ||= model?.target?.version === version;
    counts.set(version, entry);
  }
  return [...counts.values()].toSorted((a, b) => b.devices - a.devices || (a.version < b.version ? -1 : 1));
}
