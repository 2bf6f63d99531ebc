// Which devices a table shows, from its address and back: a filtered view is a link that can be sent to somebody. Pure.
import { SyncState, type Device } from "@context-edge/protocol";
import { runningVersion } from "./select.ts";

export interface DeviceFilter {
  /** In the id, the module or the running version. */
  text: string;
  group: string;
  sync: string;
  /** `yes`, `no`, or empty for both. */
  online: string;
  sort: DeviceSort;
}

export const DEVICE_SORTS = ["id", "group", "version", "seen"] as const;
export type DeviceSort = (typeof DEVICE_SORTS)[number];

const isSort = (text: string | null): text is DeviceSort => DEVICE_SORTS.some((sort) => sort === text);

export function readFilter(search: string): DeviceFilter {
  const query = new URLSearchParams(search);
  const sync = SyncState.safeParse(query.get("sync"));
  const sort = query.get("sort");
  return {
    text: query.get("text") ?? "",
    group: query.get("group") ?? "",
    sync: sync.success ? sync.data : "",
    online: ["yes", "no"].find((one) => one === query.get("online")) ?? "",
    sort: isSort(sort) ? sort : "id",
  };
}

/** @returns with its question mark; empty where nothing is filtered. */
export function writeFilter(filter: DeviceFilter): string {
  const given = Object.entries(filter).filter(([key, value]) => value !== "" && !(key === "sort" && value === "id"));
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

/** @param devices by id, as the roster has them. */
export function filtered(devices: readonly Device[], filter: DeviceFilter): readonly Device[] {
  const text = filter.text.trim().toLowerCase();
  const shown = devices.filter(
    (device) =>
      (filter.group === "" || device.group === filter.group) &&
      (filter.sync === "" || device.sync === filter.sync) &&
      (filter.online === "" || device.online === (filter.online === "yes")) &&
      (text === "" || wordsOf(device).includes(text)),
  );
  return filter.sort === "id" ? shown : shown.toSorted(ORDER[filter.sort]);
}

const wordsOf = (device: Device) =>
  `${device.id} ${runningVersion(device) ?? ""} ${device.inventory?.module ?? ""}`.toLowerCase();
const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));

/** Equal ones stay in the order of their ids. */
const ORDER: Record<Exclude<DeviceSort, "id">, (a: Device, b: Device) => number> = {
  group: (a, b) => compare(a.group, b.group),
  version: (a, b) => compare(runningVersion(a) ?? "", runningVersion(b) ?? ""),
  // Whoever was silent longest comes first: that is whom one looks for.
  seen: (a, b) => compare(a.last_seen ?? "", b.last_seen ?? ""),
};
