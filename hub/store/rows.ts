// Between rows and records: JSON columns parsed and written in one place.
import type { Selectable } from "kysely";
import type { Event } from "@context-edge/protocol";
import type { DeploymentRecord, DeviceRecord, GroupRecord, VersionRecord } from "./records.ts";
import type { Schema } from "./schema.ts";

type Row<T extends keyof Schema> = Selectable<Schema[T]>;

// The hub wrote these columns itself, from parsed values, so reading them back is a cast and not another parse.
const read = JSON.parse;
const readOrNull = (text: string | null) => (text === null ? null : read(text));
const write = (value: unknown) => JSON.stringify(value);
const writeOrNull = (value: unknown) => (value === null ? null : write(value));

export function toVersion(row: Row<"versions">): VersionRecord {
  return {
    ...row,
    stage: row.stage as VersionRecord["stage"],
    metrics: read(row.metrics),
    variants: read(row.variants),
    statement: readOrNull(row.statement),
  };
}

export function fromVersion(version: VersionRecord): Row<"versions"> {
  return {
    ...version,
    metrics: write(version.metrics),
    variants: write(version.variants),
    statement: writeOrNull(version.statement),
  };
}

export function toDevice({ dead_since, ...row }: Row<"devices"> & { last_seen: string | null }): DeviceRecord {
  return {
    ...row,
    ...(dead_since === null ? {} : { dead_since }),
    revoked: row.revoked !== 0,
    hold: readOrNull(row.hold),
    observed: readOrNull(row.observed),
    last_outcomes: read(row.last_outcomes),
  };
}

export function fromDevice({ last_seen: _apart, ...device }: DeviceRecord): Row<"devices"> {
  return {
    ...device,
    revoked: device.revoked ? 1 : 0,
    hold: writeOrNull(device.hold),
    observed: writeOrNull(device.observed),
    last_outcomes: write(device.last_outcomes),
    dead_since: device.dead_since ?? null,
  };
}

/** The device repeats its last outcome in its state; kept once, in `last_outcomes`, the row fits on one page. */
export function withoutOutcomes(observed: DeviceRecord["observed"]): DeviceRecord["observed"] {
  if (observed === null) return null;
  const models = Object.entries(observed.models).map(([name, model]) => [name, { ...model, last_outcome: null }]);
  return { ...observed, models: Object.fromEntries(models) };
}

export function toDeployment(row: Row<"deployments">): DeploymentRecord {
  return {
    ...row,
    kind: row.kind as DeploymentRecord["kind"],
    state: row.state as DeploymentRecord["state"],
    groups: read(row.groups),
    previous: read(row.previous),
    plan: read(row.plan),
    shares: read(row.shares),
    expected: read(row.expected),
    timed_out: read(row.timed_out),
    excused: read(row.excused),
    watched: read(row.watched),
    stays: read(row.stays),
    halted_by: row.halted_by as DeploymentRecord["halted_by"],
    gate: readOrNull(row.gate),
    progress: readOrNull(row.progress),
  };
}

export function fromDeployment(deployment: DeploymentRecord): Row<"deployments"> {
  return {
    ...deployment,
    groups: write(deployment.groups),
    previous: write(deployment.previous),
    plan: write(deployment.plan),
    shares: write(deployment.shares),
    expected: write(deployment.expected),
    timed_out: write(deployment.timed_out),
    excused: write(deployment.excused),
    watched: write(deployment.watched),
    stays: write(deployment.stays),
    gate: writeOrNull(deployment.gate),
    progress: writeOrNull(deployment.progress),
  };
}

export function toGroup(row: Row<"groups">): GroupRecord {
  return { ...row, manifest: readOrNull(row.manifest) };
}

export function toEvent({ id, at, kind, actor, subject, summary, data }: Row<"events">): Event {
  return { id, at, kind, actor, subject, summary, data: read(data) };
}
