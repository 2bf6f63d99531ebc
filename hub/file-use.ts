// What the records say about a version's files: who needs them, and that they are there and stay there while somebody begins to rely on them.
import type { Digest } from "@context-edge/protocol";
import type { Artifacts } from "./artifacts/artifacts.ts";
import { type Slot, type Sought, type UseFacts, usersOf } from "./core/artifact-use.ts";
import { statementsIn } from "./offers.ts";
import { ProblemError } from "./problem-error.ts";
import type { DeviceRecord, VersionRecord } from "./store/records.ts";
import type { Repositories } from "./store/store.ts";

/** Rises with each step of each removal. */
export const REMOVALS = "artifact-removals";

type Reads = Pick<Repositories, "targets" | "groups" | "deployments" | "devices">;

/** Who needs this version, by its name: another one with the same bytes is none of its concern. */
export async function usersOfVersion(tx: Reads, { model, version_id }: VersionRecord): Promise<string[]> {
  const sought: Sought = {
    isVersion: (of, version) => of === model && version === version_id,
    isDigest: () => false,
  };
  return usersOf(sought, await readFacts(tx, [`"version":${JSON.stringify(version_id)}`]));
}

/** Who needs these bytes, under whatever name. */
export async function usersOfFile(tx: Reads, digest: Digest, versions: readonly VersionRecord[]): Promise<string[]> {
  const names = new Set(versions.map(({ model, version_id }) => `${model}/${version_id}`));
  const sought: Sought = {
    isVersion: (model, version) => names.has(`${model}/${version}`),
    isDigest: (one) => one === digest,
  };
  const named = versions.map(({ version_id }) => `"version":${JSON.stringify(version_id)}`);
  return usersOf(sought, await readFacts(tx, [digest, ...named]));
}

/** @param words that stand in the report of every device that could matter: thousands of others are not read while a lock is held */
async function readFacts(tx: Reads, words: readonly string[]): Promise<UseFacts> {
  const targets = await tx.targets.list();
  const open = await tx.deployments.open();
  const followed = [...new Set(targets.map((target) => target.deployment_id))];
  const others = await Promise.all(followed.map((id) => tx.deployments.find(id)));
  const devices = new Map<string, DeviceRecord>();
  for (const word of words) for (const device of await tx.devices.mentioning(word)) devices.set(device.id, device);
  return {
    targets,
    deployments: [...open, ...others.flatMap((one) => one ?? [])],
    manifests: (await tx.groups.list()).map(({ name, manifest }) => ({
      group: name,
      offers: (manifest ? statementsIn(manifest) : []).map(({ model, version, variants }) => ({
        model,
        version,
        digests: variants.map(({ digest }) => digest),
      })),
    })),
    devices: [...devices.values()].map((device) => ({ id: device.id, slots: slotsOf(device) })),
  };
}

function slotsOf({ observed }: DeviceRecord): Slot[] {
  return Object.entries(observed?.models ?? {}).flatMap(([model, { current, backup, attempt }]) =>
    (["current", "backup", "attempt"] as const).flatMap((slot) => {
      const found = { current, backup, attempt }[slot];
      return found ? [{ model, slot, version: found.version, digest: found.digest }] : [];
    }),
  );
}

interface Looking {
  store: Pick<Repositories, "marks">;
  artifacts: Pick<Artifacts, "stat">;
}

/** As the files lay there at one moment. */
export interface Sight {
  removals: string;
  missing: Digest[];
}

/** The count first: a removal between the two looks is then seen by {@link stillThere}. */
export async function lookAtFiles({ store, artifacts }: Looking, digests: readonly Digest[]): Promise<Sight> {
  const removals = await countRemovals(store);
  const found = await Promise.all(digests.map(async (digest) => [digest, await artifacts.stat(digest)] as const));
  return { removals, missing: found.flatMap(([digest, stat]) => (stat ? [] : [digest])) };
}

/**
 * Inside the transaction that begins to rely on the files.
 * @returns whether what was seen still holds; else look again
 * @throws ARTIFACT_UNAVAILABLE while one of them is being removed
 */
export async function stillThere(
  tx: Pick<Repositories, "files" | "marks">,
  sight: Pick<Sight, "removals">,
  digests: readonly Digest[],
): Promise<boolean> {
  for (const digest of digests) await requireNotCondemned(tx, digest);
  return (await countRemovals(tx)) === sight.removals;
}

export const countRemovals = async ({ marks }: Pick<Repositories, "marks">): Promise<string> =>
  (await marks.read(REMOVALS)) ?? "0";

export async function requireNotCondemned({ files }: Pick<Repositories, "files">, digest: Digest): Promise<void> {
  if (!(await files.isCondemned(digest))) return;
  throw new ProblemError("ARTIFACT_UNAVAILABLE", `The file ${digest} is just being removed, because nothing used it.`, {
    nextStep: "Upload it again when Retry-After says.",
  });
}
