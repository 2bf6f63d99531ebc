// The one door to disk: a file is replaced whole, and is on the disk when the call returns.
import { constants } from "node:fs";
import { link, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { isMissing } from "../errors.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

export interface ReplaceOptions {
  mode?: number;
  /** Keeps what was there under this name, so that a damaged file has a predecessor. */
  previous?: string;
}

/**
 * Temp alongside, fsync, rename, fsync directory. A failed fsync says nothing about a second one, so the temp file is
 * thrown away and the error is the caller's.
 */
export async function replaceFile(path: string, content: string, options: ReplaceOptions = {}): Promise<void> {
  const temp = `${path}.tmp`;
  // The name is ours alone (one agent per directory): what lies there is a leftover, or was planted.
  await rm(temp, { force: true });
  try {
    const handle = await open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, options.mode ?? 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (options.previous !== undefined) await keepPrevious(path, options.previous);
    await rename(temp, path);
  } catch (error) {
    await rm(temp, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** A hard link, so that `path` itself never goes missing, not even for an instant. */
async function keepPrevious(path: string, previous: string): Promise<void> {
  const temp = `${previous}.tmp`;
  await rm(temp, { force: true });
  try {
    await link(path, temp);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  await rename(temp, previous);
  // rename(2) does nothing when both names are already the same file, and then the temp name stays.
  await rm(temp, { force: true });
}

/** A new name is durable only once its directory is. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
