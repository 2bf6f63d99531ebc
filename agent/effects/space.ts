// Room on the models' disk: what must stay free, what all models together may take, and what a download still needs.
import { lstat, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import { diskFull, diskFullOfFiles, overBudget } from "../core/complaints.ts";
import type { Candidate } from "../core/state.ts";
import type { Mishap } from "../core/steps.ts";
import { isMissing } from "../errors.ts";
import { importPath } from "./imports.ts";
import type { ModelDirectory } from "./model-directory.ts";

export interface SpaceQuestion {
  directory: ModelDirectory;
  /** `<models directory>/.agent`, where imports lie: a file that is there already needs no room. */
  ownDir: string;
  candidate: Pick<Candidate, "version" | "digest" | "sizeBytes">;
  /** AGENT_DISK_RESERVE. */
  reserveBytes: number;
  /** AGENT_DISK_BUDGET; null: the whole disk. */
  budgetBytes: number | null;
  /** What the published files of all models take now, as `countPublished` counts it. */
  publishedBytes: number;
}

/** @returns what keeps the candidate from being fetched, null when there is room */
export async function checkSpace(question: SpaceQuestion): Promise<Mishap | null> {
  const { directory, ownDir, candidate, reserveBytes, budgetBytes, publishedBytes } = question;
  if (budgetBytes !== null && publishedBytes + candidate.sizeBytes > budgetBytes) {
    return overBudget(candidate, publishedBytes, budgetBytes);
  }
  // Both lie on this disk already, and an import of the right size makes the download unnecessary.
  const imported = await sizeOf(importPath(ownDir, candidate.digest));
  const begun = await sizeOf(directory.partial(candidate.digest));
  const missing = imported === candidate.sizeBytes ? 0 : Math.max(0, candidate.sizeBytes - begun);
  return checkFree(directory.path, missing + reserveBytes);
}

/** While fetching and copying: others write to this disk too. @returns null while there is room */
export async function checkFree(path: string, neededBytes: number): Promise<Mishap | null> {
  const { bavail, bsize, files, ffree } = await statfs(path);
  if (bavail * bsize < neededBytes) return diskFull(neededBytes, bavail * bsize);
  // Some filesystems (btrfs) make inodes as they need them and count none.
  return files > 0 && ffree === 0 ? diskFullOfFiles() : null;
}

/** Bytes of the model files in these directories: published ones, not what is being fetched. Links count nothing. */
export async function countPublished(directories: readonly Pick<ModelDirectory, "path">[]): Promise<number> {
  let sum = 0;
  for (const { path } of directories) {
    for (const name of await namesIn(path)) {
      if (name.startsWith("model-")) sum += await sizeOf(join(path, name));
    }
  }
  return sum;
}

/** @returns 0 for what is not there or is no plain file */
export async function sizeOf(path: string): Promise<number> {
  try {
    const stat = await lstat(path);
    return stat.isFile() ? stat.size : 0;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
