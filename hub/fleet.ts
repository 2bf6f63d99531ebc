// The fleet as one snapshot: devices, groups, targets and versions read together, so that every page and every decision sees the same.
import { DEFAULT_MODEL } from "@context-edge/protocol";
import type { Member } from "./core/progress.ts";
import { standingOf, type Standing, type TargetView } from "./core/sync.ts";
import type { Presence } from "./presence.ts";
import type { DeploymentRecord, DeviceRecord, GroupRecord, TargetRecord, VersionRecord } from "./store/records.ts";
import type { Repositories } from "./store/store.ts";

export interface Fleet {
  groups: GroupRecord[];
  targets: TargetRecord[];
  devices: DeviceRecord[];
  deploymentsById: ReadonlyMap<string, DeploymentRecord>;
  version(model: string, version: string): VersionRecord | undefined;
  targetView(group: string, model: string): TargetView | undefined;
  standing(device: DeviceRecord, model: string): Standing;
  /** Devices whose group has this deployment as its target. */
  members(deployment: Pick<DeploymentRecord, "id" | "model">): Member[];
  isTarget(deploymentId: string): boolean;
  modelsOf(device: DeviceRecord): string[];
}

export async function readFleet(store: Repositories, presence: Pick<Presence, "isOnline">): Promise<Fleet> {
  const [groups, targets, devices] = await Promise.all([
    store.groups.list(),
    store.targets.list(),
    store.devices.list().then((all) => all.filter((device) => !device.revoked)),
  ]);
  const models = [...new Set([DEFAULT_MODEL, ...targets.map(({ model }) => model)])];
  const versionList = (await Promise.all(models.map((model) => store.versions.list(model)))).flat();
  const versions = new Map(versionList.map((record) => [`${record.model}/${record.version_id}`, record]));
  const ids = [...new Set(targets.map((target) => target.deployment_id))];
  const found = await Promise.all(ids.map((id) => store.deployments.find(id)));
  const deploymentsById = new Map(found.flatMap((deployment) => (deployment ? [[deployment.id, deployment]] : [])));

  const targetView: Fleet["targetView"] = (group, model) => {
    const target = targets.find((one) => one.group_name === group && one.model === model);
    const deployment = target && deploymentsById.get(target.deployment_id);
    if (!target || !deployment) return undefined;
    return {
      version: target.version,
      deploymentId: target.deployment_id,
      previousVersion: target.previous_version,
      since: target.since,
      share: deployment.share,
      paused: deployment.state === "paused" || deployment.state === "aborted",
      retry: deployment.retry,
      excused: deployment.excused,
      digests: versions.get(`${model}/${target.version}`)?.variants.map(({ digest }) => digest) ?? [],
    };
  };
  const standing: Fleet["standing"] = (device, model) =>
    standingOf(
      device.id,
      device.observed,
      device.observed?.models[model],
      device.last_outcomes[model] ?? null,
      targetView(device.group_name, model),
    );

  return {
    groups,
    targets,
    devices,
    deploymentsById,
    version: (model, version) => versions.get(`${model}/${version}`),
    targetView,
    standing,
    members: ({ id, model }) =>
      devices
        .filter((device) => targetView(device.group_name, model)?.deploymentId === id)
        .map((device) => ({ id: device.id, online: presence.isOnline(device.id), standing: standing(device, model) })),
    isTarget: (id) => targets.some((target) => target.deployment_id === id),
    modelsOf: (device) => [
      ...new Set([
        DEFAULT_MODEL,
        ...Object.keys(device.observed?.models ?? {}),
        ...targets.filter((target) => target.group_name === device.group_name).map((target) => target.model),
      ]),
    ],
  };
}
