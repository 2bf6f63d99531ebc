// What the API shows of each resource, made from one snapshot of the fleet.
import {
  type Deployment,
  type Device,
  type DeviceModel,
  type Group,
  type Hold,
  type ModelSummary,
  pinnedGroupOf,
  type Version,
  webLink,
} from "@context-edge/protocol";
import { worstOf } from "./core/sync.ts";
import type { Fleet } from "./fleet.ts";
import type { Presence } from "./presence.ts";
import type { DeploymentRecord, DeviceRecord, GroupRecord, VersionRecord } from "./store/records.ts";

export function deviceView(fleet: Fleet, presence: Presence, device: DeviceRecord): Device {
  const models = Object.fromEntries(fleet.modelsOf(device).map((model) => [model, deviceModel(fleet, device, model)]));
  const { observed } = device;
  return {
    id: device.id,
    group: device.group_name,
    home_group: device.home_group,
    pinned: device.group_name === pinnedGroupOf(device.id),
    online: presence.isOnline(device.id),
    last_seen: presence.lastSeen(device.id),
    enrolled_at: device.enrolled_at,
    ...(device.dead_since === undefined ? {} : { dead: true }),
    sync: worstOf(Object.values(models).map(({ sync }) => sync)),
    phase: observed?.phase ?? "idle",
    inventory: observed?.inventory ?? null,
    models,
    hold: inForce(device.hold) ?? inForce(observed?.hold ?? null),
    telemetry: observed?.telemetry ?? null,
    trouble: observed?.trouble ?? null,
    status_url: webLink(observed?.status_url ?? null),
  };
}

/** A hold ends by its time, whoever set it and whether or not the device was heard of since. */
function inForce(hold: Hold | null): Hold | null {
  return hold && Date.parse(hold.until) > Date.now() ? hold : null;
}

function deviceModel(fleet: Fleet, device: DeviceRecord, model: string): DeviceModel {
  const seen = device.observed?.models[model];
  const target = fleet.targetView(device.group_name, model);
  return {
    current: seen?.current ?? null,
    backup: seen?.backup ?? null,
    current_since: seen?.current_since ?? null,
    target: target ? { version: target.version, deployment_id: target.deploymentId } : null,
    sync: fleet.standing(device, model).sync,
    attempt: seen?.attempt ?? null,
    waiting: seen?.waiting ?? null,
    last_outcome: device.last_outcomes[model] ?? null,
    stats: seen?.stats ?? null,
  };
}

export function groupView(fleet: Fleet, presence: Presence, group: GroupRecord): Group {
  const tally = fleet.tally(group.name);
  const targets = fleet.targets.filter((target) => target.group_name === group.name);
  return {
    name: group.name,
    targets: Object.fromEntries(
      targets.map(({ model, version, deployment_id, previous_version, since }) => [
        model,
        { version, deployment_id, previous_version, since },
      ]),
    ),
    manifest_sequence: group.manifest_sequence,
    devices_total: tally?.ids.size ?? 0,
    devices_online: presence.countOnline(tally?.ids ?? []),
    sync: Object.fromEntries(tally?.sync ?? []),
    versions: Object.fromEntries(tally?.versions ?? []),
  };
}

export function deploymentView(fleet: Fleet, deployment: DeploymentRecord): Deployment {
  const { retry: _retry, tolerated: _tolerated, excused: _excused, expected: _expected, ...rest } = deployment;
  const { watched: _watched, stays: _stays, halted_by: _haltedBy, progress: frozen, ...shown } = rest;
  const isLive = fleet.isTarget(deployment.id) || frozen === null;
  return { ...shown, progress: isLive ? fleet.progress(deployment) : frozen };
}

export function versionView(fleet: Fleet, record: VersionRecord): Version {
  const { statement: _statement, content_hash: _hash, model_path: _path, ...shown } = record;
  return { ...shown, accuracy_delta: accuracyDelta(fleet, record), running_on: fleet.runningOn(record) };
}

export function summaryView(fleet: Fleet, record: VersionRecord): ModelSummary {
  return {
    model: record.model,
    version_id: record.version_id,
    accuracy: record.accuracy,
    accuracy_delta: accuracyDelta(fleet, record),
    training_samples: record.training_samples,
    training_date: record.training_date,
    status: record.stage,
    sha256: record.sha256,
    size_bytes: record.size_bytes,
    registered_at: record.registered_at,
    signed_by: record.signed_by,
  };
}

/** Against the version that most devices should run; null when there is none, or when it is this very one. */
function accuracyDelta(fleet: Fleet, record: VersionRecord): number | null {
  const wanted = new Map<string, number>();
  for (const { name } of fleet.groups) {
    const version = fleet.targetView(name, record.model)?.version;
    const count = fleet.tally(name)?.ids.size ?? 0;
    if (version !== undefined && count > 0) wanted.set(version, (wanted.get(version) ?? 0) + count);
  }
  const [most] = [...wanted].toSorted((a, b) => b[1] - a[1])[0] ?? [];
  if (most === undefined || most === record.version_id) return null;
  const running = fleet.version(record.model, most);
  return running ? Number((record.accuracy - running.accuracy).toFixed(6)) : null;
}
