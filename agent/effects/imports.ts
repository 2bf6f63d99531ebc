// Files brought by hand wait here under their digest until a manifest asks for them; then one becomes the part of a download.
import { copyFile, lstat, mkdir, readdir, rename, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@context-edge/protocol";
import type { Candidate } from "../core/state.ts";
import { errnoOf, isMissing } from "../errors.ts";
import { syncDirectory } from "./durable-file.ts";

/** An import that no manifest asked for in this time was a mistake, or its deployment is over. */
const KEPT_MS = 30 * 24 * 3_600_000;
/** Before this there was no agent: such a time was written by a clock that stood at 1970. */
const EPOCH_OF_AGENT_MS = Date.UTC(2024, 0, 1);
const DIGEST = /^[0-9a-f]{64}$/;

/** @param ownDir `<models directory>/.agent` */
export const importsDir = (ownDir: string) => join(ownDir, "imports");
export const importPath = (ownDir: string, digest: Digest) => join(importsDir(ownDir), digest);

export async function prepareImports(ownDir: string): Promise<string> {
  const folder = importsDir(ownDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/**
 * Makes an import the partial file of its download, so that everything goes on exactly as after one: hashed from the disk,
 * both signatures checked.
 * @returns whether there was one of the right size; what it holds is for the verification to say
 */
export async function takeImport(
  ownDir: string,
  candidate: Pick<Candidate, "digest" | "sizeBytes">,
  partPath: string,
): Promise<boolean> {
  const path = importPath(ownDir, candidate.digest);
  const stat = await lstat(path).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (stat?.isFile() !== true || stat.size !== candidate.sizeBytes) return false;
  // Its entity tag belongs to what was fetched before.
  await rm(`${partPath}.etag`, { force: true });
  try {
    await rename(path, partPath);
  } catch (error) {
    // Another model's directory may be a mount of its own.
    if (errnoOf(error) !== "EXDEV") throw error;
    await rm(partPath, { force: true });
    await copyFile(path, partPath);
    await rm(path, { force: true });
  }
  return true;
}

export interface Staleness {
  ownDir: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** AGENT_DISK_BUDGET; null: the whole disk. */
  budgetBytes: number | null;
  publishedBytes: number;
}

/**
 * Drops imports nobody asked for within 30 days, leftovers of copies that were cut off, and the oldest ones while models
 * and imports together take more than the budget.
 * @returns the digests dropped
 */
export async function dropStaleImports({ ownDir, now, budgetBytes, publishedBytes }: Staleness): Promise<Digest[]> {
  const folder = importsDir(ownDir);
  const dropped: Digest[] = [];
  const kept: { name: string; since: number; sizeBytes: number }[] = [];
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const stat = await lstat(path).catch(() => null);
    if (!stat) continue;
    const isWrongClock = stat.mtimeMs < EPOCH_OF_AGENT_MS && now > EPOCH_OF_AGENT_MS;
    // Counted from the first look with a clock that runs, or the first right time would end every import.
    if (isWrongClock) await utimes(path, now / 1_000, now / 1_000);
    const since = isWrongClock ? now : stat.mtimeMs;
    if (now - since > KEPT_MS || !stat.isFile()) {
      await rm(path, { recursive: true, force: true });
      if (DIGEST.test(name)) dropped.push(name);
    } else if (DIGEST.test(name)) {
      kept.push({ name, since, sizeBytes: stat.size });
    } else if (name.endsWith(".tmp") && now - since > 3_600_000) {
      await rm(path, { force: true });
    }
  }
  let bytes = publishedBytes + kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for (const { name, sizeBytes } of kept.sort((one, other) => one.since - other.since)) {
    if (budgetBytes === null || bytes <= budgetBytes) break;
    await rm(join(folder, name), { force: true });
    bytes -= sizeBytes;
    dropped.push(name);
  }
  if (dropped.length > 0) await syncDirectory(folder);
  return dropped;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
