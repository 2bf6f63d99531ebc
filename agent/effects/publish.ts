// From a fetched `.part` to the version's own file: hashed from the disk through one handle, made read-only, renamed, made durable.
import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename, rm } from "node:fs/promises";
import type { Candidate } from "../core/state.ts";
import { errnoOf, isMissing } from "../errors.ts";
import { hashHandle, openRegular } from "./digest.ts";
import { syncDirectory } from "./durable-file.ts";
import type { ModelDirectory } from "./model-directory.ts";

export type Published =
  | { is: "published"; file: string }
  | { is: "mismatch"; actualDigest: string; actualBytes: number }
  /** Neither a published file nor a partial one is there: fetch (again). */
  | { is: "absent" };

export interface Publishing {
  directory: ModelDirectory;
  candidate: Candidate;
  /** What becomes the published file, when it is not the download's partial one. */
  part?: string;
  /** Names the slots point to: never replaced, whatever they hold. */
  held: readonly string[];
  signal: AbortSignal;
}

/** @returns the name the digest is published under; the bytes were read back from the disk either way. */
export async function publish({ directory, candidate, held, signal, ...from }: Publishing): Promise<Published> {
  const already = await findPublished(directory, candidate, signal);
  if (already !== null) return { is: "published", file: already };
  const part = from.part ?? directory.partial(candidate.digest);
  const handle = await openRegular(part).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (!handle) return { is: "absent" };
  try {
    await handle.chmod(0o444);
    await handle.sync();
    const { size } = await handle.stat();
    const digest = await hashHandle(handle, signal);
    if (digest !== candidate.digest || size !== candidate.sizeBytes) {
      await rm(part, { force: true });
      return { is: "mismatch", actualDigest: digest, actualBytes: size };
    }
    const file = await freeName(directory, candidate, held);
    await rename(part, directory.file(file));
    await checkSameInode(handle, directory.file(file));
    await syncDirectory(directory.path);
    return { is: "published", file };
  } finally {
    await handle.close();
  }
}

/** A rollback's target, or a version fetched before: no download is needed, only the proof. */
export async function findPublished(
  directory: ModelDirectory,
  candidate: Candidate,
  signal: AbortSignal,
): Promise<string | null> {
  for (const file of namesFor(candidate)) {
    const handle = await openRegular(directory.file(file)).catch(() => null);
    if (!handle) continue;
    try {
      const { size } = await handle.stat();
      if (size === candidate.sizeBytes && (await hashHandle(handle, signal)) === candidate.digest) return file;
    } finally {
      await handle.close();
    }
  }
  return null;
}

/** The plain name is for people; when other bytes hold it, a piece of the digest tells the two apart. */
function namesFor({ version, digest, format }: Candidate): [string, string] {
  return [`model-${version}.${format}`, `model-${version}-${digest.slice(0, 12)}.${format}`];
}

async function freeName(directory: ModelDirectory, candidate: Candidate, held: readonly string[]): Promise<string> {
  const [plain, suffixed] = namesFor(candidate);
  try {
    await lstat(directory.file(plain));
  } catch (error) {
    if (isMissing(error)) return plain;
    throw error;
  }
  // Both taken, and neither holds these bytes: the suffixed one can only be a damaged copy of ours.
  if (held.includes(suffixed)) throw new Error(`${suffixed} is in use and damaged`);
  return suffixed;
}

/** The name could have been given to another file between hash and rename: it must be the inode that was hashed. */
async function checkSameInode(handle: FileHandle, path: string): Promise<void> {
  const [hashed, named] = await Promise.all([handle.stat(), lstat(path)]);
  if (hashed.ino === named.ino && hashed.dev === named.dev && named.isFile()) return;
  await rm(path, { force: true });
  throw new Error("the file was exchanged while it was being published");
}

/** Creates or continues a partial file; a link in its place is removed, never followed. */
export async function openPartial(path: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    if (errnoOf(error) !== "ELOOP" && errnoOf(error) !== "EACCES") throw error;
    await rm(path, { force: true });
    return open(path, flags | constants.O_EXCL, 0o600);
  }
}
