// The two slot links of one model: read from the disk as they are, changed by one rename each.
import { lstat, readdir, readlink, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { VersionId } from "@context-edge/protocol";
import type { Disk, Journal, Slot } from "../core/state.ts";
import { isMissing } from "../errors.ts";
import type { Fingerprints } from "./digest.ts";
import { syncDirectory } from "./durable-file.ts";
import type { ModelDirectory } from "./model-directory.ts";

const MODEL_FILE = /^model-(?<version>[A-Za-z0-9][A-Za-z0-9._-]*)\.(?<format>[a-z0-9]{1,16})$/;

/** @returns both slots and the model files, each slot's file hashed and compared with what was published under its name. */
export async function observeDisk(
  directory: ModelDirectory,
  published: Journal["published"],
  prints: Fingerprints,
): Promise<Disk> {
  const names = await readdir(directory.path);
  return {
    current: await readSlot(directory.currentLink, published, prints),
    backup: await readSlot(directory.backupLink, published, prints),
    files: names.filter((name) => MODEL_FILE.test(name)),
  };
}

async function readSlot(link: string, published: Journal["published"], prints: Fingerprints): Promise<Slot> {
  const stat = await lstat(link).catch(absent);
  if (!stat) return { is: "empty" };
  if (!stat.isSymbolicLink()) return { is: "foreign", why: `${basename(link)} is not a symbolic link` };
  const target = await readlink(link);
  const file = isAbsolute(target) && dirname(target) === dirname(link) ? basename(target) : target;
  const version = published[file]?.version ?? versionFromName(file);
  if (version === null) return { is: "foreign", why: `${basename(link)} points to ${target.slice(0, 200)}` };
  const path = join(dirname(link), file);
  const pointed = await lstat(path).catch(absent);
  if (!pointed) return { is: "broken", file, why: "missing" };
  if (!pointed.isFile()) return { is: "foreign", why: `${file} is not a plain file` };
  const { digest, sizeBytes } = await prints.of(path);
  const expected = published[file]?.digest;
  if (expected !== undefined && expected !== digest) return { is: "broken", file, why: "damaged" };
  // The link is made anew by every activation, so its own time says since when the file runs.
  const built = published[file]?.built;
  const since = Math.floor(stat.mtimeMs);
  return { is: "file", file, version, digest, sizeBytes, since, ...(built ? { built } : {}) };
}

/** Whether a file holds these bytes still. Reads it again only when the inode says that something was changed. */
export async function holdsStill(
  { directory, prints }: { directory: ModelDirectory; prints: Fingerprints },
  file: string,
  digest: string,
): Promise<boolean> {
  const now = await prints.of(directory.file(file)).catch(() => null);
  return now?.digest === digest;
}

/**
 * Points a slot at `file`, or removes it. Relative, so that it holds under another mount point. rename(2) is atomic;
 * unlink and symlink would leave an instant with no model.
 * @returns false when there is no such file to point to
 */
export async function pointLink(link: string, file: string | null): Promise<boolean> {
  if (file === null) {
    await rm(link, { force: true });
  } else {
    const pointed = await lstat(join(dirname(link), file)).catch(absent);
    if (!pointed?.isFile()) return false;
    const temp = join(dirname(link), `.${basename(link)}.next`);
    await rm(temp, { force: true });
    await symlink(file, temp);
    await rename(temp, link);
  }
  await syncDirectory(dirname(link));
  return true;
}

/** `model-v2.1.onnx` → `v2.1`. A suffix that told two files of one version apart stays part of it. */
export function versionFromName(file: string): string | null {
  const version = VersionId.safeParse(MODEL_FILE.exec(file)?.groups?.["version"]);
  return version.success ? version.data : null;
}

function absent(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}
