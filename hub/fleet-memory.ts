// The fleet in memory: loaded once, then kept in line by re-reading exactly what a change touched, when somebody looks.
import { setImmediate as nextTurn } from "node:timers/promises";
import { DEFAULT_MODEL } from "@context-edge/protocol";
import type { Changes } from "./changes.ts";
import { fleetOf, type Fleet } from "./fleet.ts";
import { keepInLine, type Unread } from "./kept-in-line.ts";
import { sortedShelf } from "./sorted-shelf.ts";
import { rememberStandings } from "./standings.ts";
import { rememberTallies } from "./tallies.ts";
import type { Presence } from "./presence.ts";
import type { DeploymentRecord, DeviceRecord, GroupRecord, TargetRecord, VersionRecord } from "./store/records.ts";
import type { Store } from "./store/store.ts";

export interface FleetMemory {
  /** As new as the last change that was committed on this hub before the call. One object until something changes. */
  fleet(): Promise<Fleet>;
  /**
   * The same for groups, targets, versions and deployments; devices may be as they were before. A deployment touches thousands
   * of devices, and what their group should run must not wait for reading them.
   */
  plans(): Promise<Fleet>;
  /** The device with this hash of a credential, revoked ones left out. Look after `fleet()`. */
  byCredential(hash: string): DeviceRecord | undefined;
  /** Everything is read again at the next look: for what another hub may have changed unheard. */
  reload(): void;
}

/** Records read in one go; the loop breathes in between. */
const READ_AT_ONCE = 200;

/** @param breathe waited for between slices of reading. */
export async function openFleetMemory(
  store: Store,
  changes: Changes,
  presence: Presence,
  breathe: () => Promise<void> = nextTurn,
): Promise<FleetMemory> {
  const devices = sortedShelf<DeviceRecord>(({ id }) => id);
  const groups = sortedShelf<GroupRecord>(
    ({ name }) => name,
    ({ created_at, name }) => `${created_at} ${name}`,
  );
  const hashes = new Map<string, string>();
  const versions = new Map<string, VersionRecord>();
  const models = new Set<string>();
  let targets: TargetRecord[] = [];
  let deploymentsById = new Map<string, DeploymentRecord>();

  const standings = rememberStandings();
  const tallies = rememberTallies(standings);
  let snapshot: Fleet | undefined;

  const keepDevice = (id: string, device: DeviceRecord | undefined) => {
    const old = devices.get(id);
    if (old) hashes.delete(old.credential_hash);
    if (!device || device.revoked) return devices.drop(id);
    devices.put(device);
    hashes.set(device.credential_hash, id);
  };

  async function readDevices(ids: readonly string[]): Promise<void> {
    for (let start = 0; start < ids.length; start += READ_AT_ONCE) {
      const slice = ids.slice(start, start + READ_AT_ONCE);
      const found = new Map((await store.devices.some(slice)).map((device) => [device.id, device]));
      for (const id of slice) keepDevice(id, found.get(id));
      if (ids.length > READ_AT_ONCE) await breathe();
    }
  }

  async function readAllDevices(): Promise<void> {
    const unseen = new Set(devices.items().map(({ id }) => id));
    let after = "";
    for (;;) {
      const page = await store.devices.after(after, READ_AT_ONCE);
      for (const device of page) {
        keepDevice(device.id, device);
        unseen.delete(device.id);
      }
      const last = page.at(-1);
      if (!last) break;
      after = last.id;
      await breathe();
    }
    for (const id of unseen) keepDevice(id, undefined);
  }

  async function readGroups({ everything, groups: names }: Unread): Promise<Map<string, GroupRecord | undefined>> {
    if (everything) return new Map((await store.groups.list()).map((group) => [group.name, group]));
    const found = new Map<string, GroupRecord | undefined>();
    for (const name of names) found.set(name, await store.groups.find(name));
    return found;
  }

  async function readVersions(unread: Unread, wanted: readonly TargetRecord[]) {
    const found = new Map<string, VersionRecord | undefined>();
    for (const model of new Set([DEFAULT_MODEL, ...wanted.map((target) => target.model)])) {
      if (models.has(model) && !unread.everything) continue;
      for (const record of await store.versions.list(model)) found.set(`${model}/${record.version_id}`, record);
      models.add(model);
    }
    for (const key of unread.versions) {
      const slash = key.indexOf("/");
      found.set(key, await store.versions.find(key.slice(0, slash), key.slice(slash + 1)));
    }
    return found;
  }

  /** Those that are some group's target. */
  async function readDeployments({ everything, deployments: touched }: Unread, wanted: readonly TargetRecord[]) {
    const next = new Map<string, DeploymentRecord>();
    for (const id of new Set(wanted.map((target) => target.deployment_id))) {
      const kept = everything || touched.has(id) ? undefined : deploymentsById.get(id);
      const record = kept ?? (await store.deployments.find(id));
      if (record) next.set(id, record);
    }
    return next;
  }

  const deviceLine = keepInLine(["devices"], async (unread) => {
    snapshot = undefined;
    if (unread.everything) await readAllDevices();
    else await readDevices([...unread.devices]);
    snapshot = undefined;
  });
  const planLine = keepInLine(["groups", "deployments", "versions"], async (unread) => {
    const foundGroups = await readGroups(unread);
    const mayMove = unread.everything || unread.groups.size > 0 || unread.deployments.size > 0;
    const nextTargets = mayMove ? (await store.targets.list()).toSorted(byGroupAndModel) : targets;
    const foundVersions = await readVersions(unread, nextTargets);
    const nextDeployments = await readDeployments(unread, nextTargets);
    // All at once: a target must never be seen without its deployment.
    for (const [name, group] of foundGroups) {
      if (group) groups.put(group);
      else groups.drop(name);
    }
    for (const [key, version] of foundVersions) {
      if (version) versions.set(key, version);
      else versions.delete(key);
    }
    targets = nextTargets;
    deploymentsById = nextDeployments;
    snapshot = undefined;
  });
  changes.listen((notice) => {
    if (notice.kind !== "touched") return;
    deviceLine.hear(notice.touched);
    planLine.hear(notice.touched);
  });

  const look = () =>
    (snapshot ??= fleetOf(
      { groups: groups.items(), targets, devices: devices.items(), versions: new Map(versions), deploymentsById },
      presence,
      standings,
      tallies,
    ));
  const memory: FleetMemory = {
    async fleet() {
      await Promise.all([deviceLine.upToDate(), planLine.upToDate()]);
      return look();
    },
    async plans() {
      await planLine.upToDate();
      return look();
    },
    byCredential(hash) {
      const id = hashes.get(hash);
      return id === undefined ? undefined : devices.get(id);
    },
    reload() {
      deviceLine.reload();
      planLine.reload();
    },
  };
  memory.reload();
  await memory.fleet();
  return memory;
}

function byGroupAndModel(a: TargetRecord, b: TargetRecord): number {
  const [one, other] = [`${a.group_name}/${a.model}`, `${b.group_name}/${b.model}`];
  return one < other ? -1 : Number(one > other);
}
