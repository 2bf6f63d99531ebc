// Removing files that nothing refers to: first they are condemned where the records are, then they go, then it is told. A killed hub's work is gone on with.
import { randomUUID } from "node:crypto";
import type { Artifacts, Kept } from "./artifacts/artifacts.ts";
import type { Change } from "./changes.ts";
import { whyKept } from "./core/artifact-use.ts";
import { grouped, megabytes } from "./core/say.ts";
import { countRemovals, REMOVALS, usersOfFile } from "./file-use.ts";
import { ProblemError } from "./problem-error.ts";
import type { Condemned } from "./store/files.ts";
import type { Repositories, Store } from "./store/store.ts";

export interface SweepPorts {
  store: Store;
  artifacts: Pick<Artifacts, "list" | "remove" | "sharedWith">;
  change: <T>(work: (change: Change) => Promise<T>) => Promise<T>;
  /** What came or was archived since then stays. */
  limitMs: number;
}

/** Milliseconds of work between two pauses. */
const FILES_AT_ONCE = 20;
const HUB_ID = "artifacts-hub";

/** Everything that could go now, and changes nothing. */
export async function findUnused({ store, artifacts, limitMs }: Omit<SweepPorts, "change">): Promise<Condemned[]> {
  const found: Condemned[] = [];
  for await (const file of artifacts.list()) {
    const unused = await judge(store, file, limitMs);
    if (unused) found.push(unused);
  }
  return found;
}

/**
 * One piece after the other, so that nobody waits for it.
 * @returns what was removed with each; the last ends it.
 * @throws CONFLICT where another hub keeps files in the same bucket
 */
export async function* sweep({ store, artifacts, change, limitMs }: SweepPorts): AsyncGenerator<Condemned[]> {
  await requireAlone(store, artifacts);
  yield await removeCondemned({ store, artifacts, change });
  let looked = 0;
  for await (const file of artifacts.list()) {
    looked += 1;
    // Once outside, where nobody waits; and again where nothing can change meanwhile.
    const unused = (await judge(store, file, limitMs)) !== null;
    if (unused) await change(({ tx }) => condemn(tx, file, limitMs));
    if (looked % FILES_AT_ONCE === 0) yield await removeCondemned({ store, artifacts, change });
  }
  await store.files.forgetUploads(new Date(limitMs).toISOString());
  yield await removeCondemned({ store, artifacts, change });
}

/** Two hubs with records of their own on one bucket would take each other's files for unused. */
async function requireAlone(store: Store, artifacts: Pick<Artifacts, "sharedWith">): Promise<void> {
  const id = await store.transaction(async (tx) => {
    const known = (await tx.marks.read(HUB_ID)) ?? randomUUID();
    await tx.marks.write(HUB_ID, known);
    return known;
  });
  const others = await artifacts.sharedWith(id);
  if (others.length === 0) return;
  throw new ProblemError("CONFLICT", `Another hub keeps files in the same bucket: ${others.join(", ")}.`, {
    nextStep: "Give each hub a bucket of its own. If that other hub is gone for good, delete the object named here.",
  });
}

async function judge(tx: Repositories, file: Kept, limitMs: number): Promise<Condemned | null> {
  const { digest, sizeBytes, modifiedMs } = file;
  if (modifiedMs >= limitMs) return null;
  const versions = await tx.versions.withDigest(digest);
  const facts = {
    versions: versions.map((one) => ({ ...one, decidedMs: Date.parse(one.decided_at ?? one.registered_at) })),
    // Most files belong to a version that is not archived; then nobody else needs to be asked.
    uses: versions.every(({ stage }) => stage === "archived") ? await usersOfFile(tx, digest, versions) : [],
    writtenMs: modifiedMs,
    uploadedMs: Date.parse((await tx.files.uploadedAt(digest)) ?? "1970-01-01T00:00:00Z"),
  };
  if (whyKept(facts, limitMs) !== null) return null;
  const names = versions.map(({ version_id }) => version_id).join(", ");
  return { digest, size_bytes: sizeBytes, why: names === "" ? "never registered" : `of ${names}, archived` };
}

async function condemn(tx: Repositories, file: Kept, limitMs: number): Promise<void> {
  const unused = await judge(tx, file, limitMs);
  if (!unused) return;
  await tx.files.condemn(unused);
  await countUp(tx);
}

/** From its condemnation on nobody can begin to rely on it, so it may go whenever that is possible. */
async function removeCondemned({
  store,
  artifacts,
  change,
}: Pick<SweepPorts, "store" | "change"> & { artifacts: Pick<Artifacts, "remove"> }): Promise<Condemned[]> {
  const files = await store.files.condemned();
  if (files.length === 0) return [];
  for (const { digest } of files) {
    // Another hub, or the command, may have removed it meanwhile, and somebody may have uploaded it again.
    if (await store.files.isCondemned(digest)) await artifacts.remove(digest);
  }
  await change(async ({ tx, actor, tell }) => {
    for (const { digest } of files) await tx.files.strike(digest);
    await countUp(tx);
    const what = files.length === 1 ? "one file" : `${grouped(files.length)} files`;
    const summary = `${actor} removed ${what} that nothing refers to, ${megabytes(sum(files))}`;
    await tell("artifacts.removed", subjectOf(files), summary, { files });
  });
  return files;
}

/** Whoever looked at a file before this looks again. */
async function countUp(tx: Pick<Repositories, "marks">): Promise<void> {
  await tx.marks.write(REMOVALS, String(Number(await countRemovals(tx)) + 1));
}

export const sum = (files: readonly Condemned[]): number => files.reduce((total, file) => total + file.size_bytes, 0);
const subjectOf = ([first, ...others]: readonly Condemned[]): string =>
  first && others.length === 0 ? first.digest : "";
