// The devices in order: a change puts a device in its place and moves nobody else. Pure.
import type { Device } from "@context-edge/protocol";
import type { Roster } from "./state.ts";

/** `edge-9` before `edge-10`. Made once: building one costs more than comparing with it. */
function inOrder(): (a: Device, b: Device) => number {
  const { compare } = new Intl.Collator("en", { numeric: true });
  return (a, b) => compare(a.id, b.id);
}

export function rosterOf(devices: Iterable<Device>): Roster {
  return indexed([...devices].toSorted(inOrder()));
}

/** @param changed newest state of devices, known or new. @param gone ids that are no more. */
export function withChanges(
  roster: Roster,
  changed: ReadonlyMap<string, Device>,
  gone: ReadonlySet<string> = new Set(),
): Roster {
  if (changed.size === 0 && gone.size === 0) return roster;
  const kept = roster.all.filter(({ id }) => !gone.has(id)).map((device) => changed.get(device.id) ?? device);
  const known = new Set(kept.map(({ id }) => id));
  const added = [...changed.values()].filter(({ id }) => !known.has(id) && !gone.has(id));
  const all = added.length === 0 ? kept : [...kept, ...added].toSorted(inOrder());
  const { byGroup } = indexed(all);
  // A group in which nothing changed keeps its list: whoever shows it has nothing to do.
  for (const [group, devices] of byGroup) {
    const before = roster.byGroup.get(group);
    if (before && isSame(before, devices)) byGroup.set(group, before);
  }
  return { all, byGroup };
}

function indexed(all: readonly Device[]): { all: readonly Device[]; byGroup: Map<string, readonly Device[]> } {
  return { all, byGroup: Map.groupBy(all, ({ group }) => group) };
}

function isSame(one: readonly Device[], other: readonly Device[]): boolean {
  return one.length === other.length && one.every((device, index) => device === other[index]);
}
