// Fleet-wide quarantine: set by what devices report or by a person, lifted by an admin with a reason.
import type { Quarantine } from "@context-edge/protocol";
import type { Change } from "./changes.ts";
import type { ConductorSettings } from "./conductor.ts";
import { isEnough, testimonyOf, type Witness } from "./core/quarantine.ts";
import { devices } from "./core/say.ts";
import type { Fleet } from "./fleet.ts";
import { ProblemError } from "./problem-error.ts";
import type { QuarantineRecord, VersionRecord } from "./store/records.ts";

/** What every device said last of the bytes it tried. */
function witnessesOf(fleet: Fleet): Map<string, Witness[]> {
  const all = fleet.devices.flatMap(({ id: device, last_outcomes }) =>
    Object.values(last_outcomes).map((outcome) => ({ device, outcome })),
  );
  return Map.groupBy(all, ({ outcome }) => outcome.digest);
}

/** Level-triggered, like everything the conductor does: what a killed hub left undone is done in the next round. */
export async function watchForQuarantine(settings: ConductorSettings): Promise<void> {
  const { store, changes, quarantineAfter, publisher } = settings;
  const fleet = await settings.fleet();
  const known = new Map((await store.quarantines.list()).map((record) => [record.digest, record]));
  for (const [digest, witnesses] of witnessesOf(fleet)) {
    const before = known.get(digest);
    if (before && before.lifted_at === null) continue;
    const testimony = testimonyOf(witnesses, before?.counted ?? {});
    if (!isEnough(testimony, quarantineAfter)) continue;
    const [first] = testimony.against;
    if (!first) continue;
    const { code, message } = first.outcome;
    const reason = `${devices(testimony.against.length)} rolled it back (${code}): ${message}`;
    await changes.make("conductor", (change) => quarantineDigest(change, fleet, digest, reason, testimony.against));
    await publisher.refresh();
  }
}

/**
 * Every version that has these bytes becomes quarantined; its deployments halt by that.
 * @param stageBefore where several files of one version go out together, what it was before the first
 */
export async function quarantineDigest(
  change: Change,
  fleet: Fleet,
  digest: string,
  reason: string,
  against: readonly Witness[],
  stageBefore?: VersionRecord["stage"],
): Promise<void> {
  const { tx, at, actor, touched, tell } = change;
  const versions = await tx.versions.withDigest(digest);
  const [version] = versions;
  if (!version) return;
  const by = { by: actor, at, lifted_by: null, lifted_at: null, lift_reason: null };
  const counted = Object.fromEntries(against.map(({ device, outcome }) => [device, outcome.at]));
  const { model, version_id } = version;
  const stage_before = stageBefore ?? version.stage;
  await tx.quarantines.put({ digest, model, version: version_id, reason, counted, stage_before, ...by });
  for (const one of versions) await setStage(change, one, "quarantined", reason);
  const warned = fleet.targets.filter((target) => versions.some((one) => isTarget(target, one)));
  for (const target of warned) touched.groups.add(target.group_name);
  const groups = warned.map(({ group_name }) => group_name);
  const others = groups.length > 0 ? `. Groups that have it as their target: ${groups.join(", ")}` : "";
  await tell("quarantine.added", digest, `${version_id} is quarantined for the whole fleet: ${reason}${others}`, {
    digest,
    versions: versions.map((one) => one.version_id),
    groups,
    devices: Object.keys(counted),
  });
}

const isTarget = (target: { model: string; version: string }, version: VersionRecord) =>
  target.model === version.model && target.version === version.version_id;

export async function liftQuarantine(change: Change, fleet: Fleet, digest: string, reason: string): Promise<void> {
  const { tx, at, actor, tell } = change;
  const record = await tx.quarantines.find(digest);
  if (!record || record.lifted_at !== null) {
    throw new ProblemError("NOT_FOUND", "This digest is not quarantined.", {
      nextStep: "List them with GET /api/v1/quarantines.",
    });
  }
  // What was said against it until now has been weighed; only new words count from here on.
  const heard = (witnessesOf(fleet).get(digest) ?? []).map(({ device, outcome }) => [device, outcome.at] as const);
  const counted = { ...record.counted, ...Object.fromEntries(heard) };
  await tx.quarantines.put({ ...record, counted, lifted_by: actor, lifted_at: at, lift_reason: reason });
  const inForce = new Set((await tx.quarantines.list()).flatMap((one) => (one.lifted_at === null ? [one.digest] : [])));
  for (const version of await tx.versions.withDigest(digest)) {
    // A version of several files stays out while another of them is quarantined.
    const isFree = !version.variants.some((variant) => inForce.has(variant.digest));
    if (version.stage === "quarantined" && isFree) await setStage(change, version, record.stage_before, reason);
  }
  await tell("quarantine.lifted", digest, `${actor} lifted the quarantine of ${record.version}: ${reason}`, {
    digest,
    reason,
  });
}

async function setStage(
  { tx, at, actor, touched }: Change,
  { model, version_id }: VersionRecord,
  stage: VersionRecord["stage"],
  reason: string,
): Promise<void> {
  const decision = { stage, decided_by: actor, decided_at: at, decision_reason: reason };
  await tx.versions.decide(model, version_id, decision);
  touched.versions.add(`${model}/${version_id}`);
}

export function quarantineView({ counted, stage_before: _stage, ...shown }: QuarantineRecord): Quarantine {
  return { ...shown, devices: Object.keys(counted) };
}
