// Fleet-wide quarantine: set by what devices report or by a person, lifted by an admin with a reason.
import type { OutcomeReport, Quarantine } from "@context-edge/protocol";
import type { Change } from "./changes.ts";
import type { ConductorSettings } from "./conductor.ts";
import { freshWords, isEnough, speaksAgainstTheFile, type Witness } from "./core/quarantine.ts";
import { devices } from "./core/say.ts";
import type { Fleet } from "./fleet.ts";
import { ProblemError } from "./problem-error.ts";
import type { DeviceRecord, QuarantineRecord, TestimonyRecord, VersionRecord } from "./store/records.ts";
import type { Repositories } from "./store/store.ts";

/** With what was said, so that the reason can be told. */
type Word = Witness & Pick<TestimonyRecord, "code" | "message">;

async function wordsAbout(tx: Pick<Repositories, "testimonies">, digest: string): Promise<Word[]> {
  return (await tx.testimonies.of(digest)).map(({ device_id: device, ...said }) => ({ device, ...said }));
}

/**
 * Keeps what a device says about bytes that the hub ordered it to run. Words about anything else say nothing: whoever holds
 * one credential must not be able to talk a file out of the fleet that its device never had.
 */
export async function hearTestimony(
  { tx }: Pick<Change, "tx">,
  { id, group_name }: DeviceRecord,
  said: OutcomeReport,
): Promise<void> {
  const deployment = await tx.deployments.find(said.deployment_id);
  if (deployment?.model !== said.model || !deployment.groups.includes(group_name)) return;
  const ordered = new Set([deployment.version, ...Object.values(deployment.previous)]);
  const version = ordered.has(said.version) ? await tx.versions.find(said.model, said.version) : undefined;
  if (!version?.variants.some(({ digest }) => digest === said.digest)) return;
  const { digest, at, code, message } = said;
  await tx.testimonies.put({ digest, device_id: id, at, against: speaksAgainstTheFile(said), code, message });
}

/** Level-triggered, like everything the conductor does: what a killed hub left undone is done in the next round. */
export async function watchForQuarantine(settings: ConductorSettings): Promise<void> {
  const { store, changes, quarantineAfter, publisher } = settings;
  const accused = await store.testimonies.accused();
  if (accused.length === 0) return;
  const known = new Map((await store.quarantines.list()).map((record) => [record.digest, record]));
  for (const digest of accused) {
    const before = known.get(digest);
    if (before && before.lifted_at === null) continue;
    const words = freshWords(await wordsAbout(store, digest), before?.counted ?? {});
    if (!isEnough(words, quarantineAfter)) continue;
    const against = words.filter((one) => one.against);
    const [first] = against;
    if (!first || (await store.versions.withDigest(digest)).length === 0) continue;
    const fleet = await settings.fleet();
    const reason = `${devices(against.length)} rolled it back (${first.code}): ${first.message}`;
    await changes.make("conductor", (change) => quarantineDigest(change, fleet, digest, reason, against));
    await publisher.refresh();
  }
}

/** Every version that has these bytes becomes quarantined; its deployments halt by that. */
export async function quarantineDigest(
  change: Change,
  fleet: Fleet,
  digest: string,
  reason: string,
  against: readonly Witness[],
): Promise<void> {
  const { tx, at, actor, touched, tell } = change;
  const versions = await tx.versions.withDigest(digest);
  const [version] = versions;
  if (!version) return;
  const by = { by: actor, at, lifted_by: null, lifted_at: null, lift_reason: null };
  const counted = Object.fromEntries(against.map((one) => [one.device, one.at]));
  const { model, version_id } = version;
  const stages_before = await stagesBefore(tx, versions);
  await tx.quarantines.put({ digest, model, version: version_id, reason, counted, stages_before, ...by });
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

/** What each was before any of its files was put out. */
async function stagesBefore(
  tx: Pick<Repositories, "quarantines">,
  versions: readonly VersionRecord[],
): Promise<Record<string, VersionRecord["stage"]>> {
  const inForce = (await tx.quarantines.list()).filter(({ lifted_at }) => lifted_at === null);
  const earlier = Object.assign({}, ...inForce.map(({ stages_before }) => stages_before));
  return Object.fromEntries(
    versions.map((one) => [keyOf(one), one.stage === "quarantined" ? (earlier[keyOf(one)] ?? "pending") : one.stage]),
  );
}

const keyOf = ({ model, version_id }: VersionRecord) => `${model}/${version_id}`;
const isTarget = (target: { model: string; version: string }, version: VersionRecord) =>
  target.model === version.model && target.version === version.version_id;

export async function liftQuarantine(change: Change, digest: string, reason: string): Promise<void> {
  const { tx, at, actor, tell } = change;
  const record = await tx.quarantines.find(digest);
  if (!record || record.lifted_at !== null) {
    throw new ProblemError("NOT_FOUND", "This digest is not quarantined.", {
      nextStep: "List them with GET /api/v1/quarantines.",
    });
  }
  // What was said against it until now has been weighed; only new words count from here on.
  const heard = (await wordsAbout(tx, digest)).map((one) => [one.device, one.at] as const);
  const counted = { ...record.counted, ...Object.fromEntries(heard) };
  await tx.quarantines.put({ ...record, counted, lifted_by: actor, lifted_at: at, lift_reason: reason });
  const inForce = new Set((await tx.quarantines.list()).flatMap((one) => (one.lifted_at === null ? [one.digest] : [])));
  for (const version of await tx.versions.withDigest(digest)) {
    // A version of several files stays out while another of them is quarantined.
    const isFree = !version.variants.some((variant) => inForce.has(variant.digest));
    const before = record.stages_before[keyOf(version)];
    if (version.stage === "quarantined" && isFree && before) await setStage(change, version, before, reason);
  }
  await tell("quarantine.lifted", digest, `${actor} lifted the quarantine of ${record.version}: ${reason}`, {
    digest,
    reason,
  });
}

async function setStage(
  { tx, at, actor, touched }: Change,
  version: VersionRecord,
  stage: VersionRecord["stage"],
  reason: string,
): Promise<void> {
  const decision = { stage, decided_by: actor, decided_at: at, decision_reason: reason };
  await tx.versions.decide(version.model, version.version_id, decision);
  touched.versions.add(keyOf(version));
}

export function quarantineView({ counted, stages_before: _stages, ...shown }: QuarantineRecord): Quarantine {
  return { ...shown, devices: Object.keys(counted) };
}
