// The fleet as one snapshot: devices, groups, targets and versions read together, so that every page and every decision sees the same.
import { CLOSED_DEPLOYMENT_STATES, DEFAULT_MODEL, type Progress, recipeDigest } from "@context-edge/protocol";
import { rememberStandings, type Standings } from "./standings.ts";
import { progressNow } from "./strides.ts";
import { rememberTallies, type Strides, type Tallies, type Tally } from "./tallies.ts";
import type { Member } from "./core/progress.ts";
import type { Standing, TargetView } from "./core/sync.ts";
import type { Presence } from "./presence.ts";
import type { DeploymentRecord, DeviceRecord, GroupRecord, TargetRecord, VersionRecord } from "./store/records.ts";
import type { Repositories } from "./store/store.ts";

/** The records that a fleet is made of. Devices by id, targets by group and model. */
export interface FleetTables {
  groups: GroupRecord[];
  targets: TargetRecord[];
  devices: DeviceRecord[];
  /** By `model/version`. */
  versions: ReadonlyMap<string, VersionRecord>;
  deploymentsById: ReadonlyMap<string, DeploymentRecord>;
}

export interface Fleet {
  groups: GroupRecord[];
  targets: TargetRecord[];
  /** Not the revoked ones. When one was seen last is for `Presence` to say: `last_seen` is as old as the record. */
  devices: DeviceRecord[];
  deploymentsById: ReadonlyMap<string, DeploymentRecord>;
  device(id: string): DeviceRecord | undefined;
  devicesOf(group: string): readonly DeviceRecord[];
  /** Counts of a group's devices, cheaper than going through them. Read it at once: it is one object for all looks. */
  tally(group: string): Readonly<Tally> | undefined;
  strides(group: string, model: string): Readonly<Strides> | undefined;
  /** Devices whose current file is one of this version's. Of several with the same bytes, a device runs its target, else the one it names. */
  runningOn(version: Pick<VersionRecord, "model" | "version_id" | "variants">): number;
  version(model: string, version: string): VersionRecord | undefined;
  targetView(group: string, model: string): TargetView | undefined;
  standing(device: DeviceRecord, model: string): Standing;
  /** Devices whose group has this deployment as its target, or will have it. */
  members(deployment: DeploymentRecord): Member[];
  /** Counts of its members, cheaper than going through them. */
  progress(deployment: DeploymentRecord): Progress;
  isTarget(deploymentId: string): boolean;
  modelsOf(device: DeviceRecord): string[];
}

/** The part of it that orders are made of. */
export type Plans = Pick<Fleet, "groups" | "targets" | "deploymentsById" | "version" | "targetView" | "isTarget">;

/** Whoever has not begun stays where it is. */
const isStopped = ({ state }: DeploymentRecord) =>
  state === "paused" || state === "aborted" || state === "rolling-back";

/** @returns nothing, or the device as one that this deployment counts */
function memberOf(
  deployment: DeploymentRecord,
  device: DeviceRecord,
  targetView: Fleet["targetView"],
  standing: Fleet["standing"],
  online: boolean,
): Member[] {
  const { id, model, groups, shares, state } = deployment;
  const group = device.group_name;
  if (!groups.includes(group)) return [];
  const timedOut = deployment.timed_out[device.id]?.phase ?? null;
  const member = { id: device.id, online, standing: standing(device, model), timedOut };
  // A group whose turn has not come still follows what it followed before.
  if (!(group in shares)) {
    // Its outcome is of what it followed before, and would be taken for one of this version.
    const notYet = { ...member, standing: { ...member.standing, runsTarget: false, outcome: null }, turn: false };
    return CLOSED_DEPLOYMENT_STATES.includes(state) ? [] : [notYet];
  }
  if (targetView(group, model)?.deploymentId !== id) return [];
  return [{ ...member, turn: member.standing.inWave }];
}

const NOBODY_THERE = { isOnline: () => false, countOnline: () => 0 };

/**
 * Everything but the devices, as it stands in the store or inside a transaction: what orders are made of. Thousands of devices
 * are not read while a lock is held; figures about them come from the fleet in memory.
 */
export async function readPlans(store: Repositories): Promise<Plans> {
  return fleetOf(await readTables(store, []), NOBODY_THERE, rememberStandings());
}

export async function readTables(store: Repositories, devices: DeviceRecord[]): Promise<FleetTables> {
  const [groups, targets] = await Promise.all([store.groups.list(), store.targets.list()]);
  const models = [...new Set([DEFAULT_MODEL, ...targets.map(({ model }) => model)])];
  const versionList = (await Promise.all(models.map((model) => store.versions.list(model)))).flat();
  const versions = new Map(versionList.map((record) => [`${record.model}/${record.version_id}`, record]));
  const ids = [...new Set(targets.map((target) => target.deployment_id))];
  const found = await Promise.all(ids.map((id) => store.deployments.find(id)));
  const deploymentsById = new Map(found.flatMap((deployment) => (deployment ? [[deployment.id, deployment]] : [])));
  return { groups, targets, devices, versions, deploymentsById };
}

/** @param standings may outlive this fleet, and the tallies too: what has not changed is not computed again. */
export function fleetOf(
  tables: FleetTables,
  presence: Pick<Presence, "isOnline" | "countOnline">,
  standings: Standings,
  tallies: Tallies = rememberTallies(standings),
): Fleet {
  const { groups, targets, devices, versions, deploymentsById } = tables;
  const byGroup = once(() => Map.groupBy(devices, (device) => device.group_name));
  const targetsOf = once(() => Map.groupBy(targets, (target) => target.group_name));
  const running = once(() => tallies.running(fleet));
  const views = new Map<string, TargetView | undefined>();

  const makeView = (group: string, model: string): TargetView | undefined => {
    const target = targetsOf()
      .get(group)
      ?.find((one) => one.model === model);
    const deployment = target && deploymentsById.get(target.deployment_id);
    if (!target || !deployment) return undefined;
    const variants = versions.get(`${model}/${target.version}`)?.variants ?? [];
    return {
      version: target.version,
      deploymentId: target.deployment_id,
      previousVersion: target.previous_version,
      outsideVersion: target.outside_version,
      since: target.since,
      share: deployment.shares[group] ?? 0,
      paused: isStopped(deployment) || versions.get(`${model}/${target.version}`)?.stage === "quarantined",
      retry: deployment.retry,
      excused: deployment.excused,
      digests: variants.map(({ digest }) => digest),
      recipes: variants.flatMap(({ build }) => (build ? [recipeDigest(build)] : [])),
    };
  };
  const targetView: Fleet["targetView"] = (group, model) => {
    const key = `${group}/${model}`;
    if (!views.has(key)) views.set(key, standings.sameView(key, makeView(group, model)));
    return views.get(key);
  };
  const standing: Fleet["standing"] = (device, model) =>
    standings.of(device, model, targetView(device.group_name, model));

  const hasFile = (version: Pick<VersionRecord, "variants"> | undefined, digest: string) =>
    version?.variants.some((variant) => variant.digest === digest) ?? false;
  const runningOn: Fleet["runningOn"] = (version) => {
    const { model, version_id: id, variants } = version;
    const named = [...new Set(variants.map(({ digest }) => digest))].flatMap((digest) =>
      [...(running().get(`${model}/${digest}`) ?? [])].map(([name, count]) => ({ digest, name, count })),
    );
    // A name that is not registered for these bytes says nothing: the bytes do.
    const isIts = ({ digest, name }: (typeof named)[number]) =>
      name === id || !hasFile(versions.get(`${model}/${name}`), digest);
    return named.filter(isIts).reduce((sum, { count }) => sum + count, 0);
  };

  const fleet: Fleet = {
    groups,
    targets,
    devices,
    deploymentsById,
    device: (id) => byId(devices, id),
    devicesOf: (group) => byGroup().get(group) ?? [],
    tally: (group) => tallies.of(fleet, group),
    strides: (group, model) => tallies.strides(fleet, group, model),
    runningOn,
    version: (model, version) => versions.get(`${model}/${version}`),
    targetView,
    standing,
    members: (deployment) =>
      deployment.groups
        .flatMap((group) => byGroup().get(group) ?? [])
        .flatMap((device) => memberOf(deployment, device, targetView, standing, presence.isOnline(device.id))),
    progress: (deployment) => progressNow(fleet, presence, deployment),
    isTarget: (id) => targets.some((target) => target.deployment_id === id),
    modelsOf: (device) => [
      ...new Set([
        DEFAULT_MODEL,
        ...Object.keys(device.observed?.models ?? {}),
        ...(targetsOf().get(device.group_name) ?? []).map((target) => target.model),
      ]),
    ],
  };
  return fleet;
}

/** They are sorted by id; a map of thousands would be made anew for every look that asks for a few. */
function byId(devices: readonly DeviceRecord[], id: string): DeviceRecord | undefined {
  let [low, high] = [0, devices.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((devices[middle]?.id ?? id) < id) low = middle + 1;
    else high = middle;
  }
  return devices[low]?.id === id ? devices[low] : undefined;
}

/** Made when somebody asks, and kept. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
