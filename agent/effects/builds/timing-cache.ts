// What TensorRT learned about kernels on this GPU, kept per release and GPU: it makes the next build faster, and nothing depends on it.
import { constants } from "node:fs";
import { copyFile, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BuildOrder } from "../../core/candidate.ts";
import { hashHandle, openRegular } from "../digest.ts";
import { replaceFile, syncDirectory } from "../durable-file.ts";

export interface TimingCache {
  /** Puts a copy where a build may read and write it; without one that is whole, nothing is there. */
  lend(path: string): Promise<void>;
  /** The build went well: what it left there is kept. */
  keep(path: string): Promise<void>;
  forget(): Promise<void>;
}

/**
 * trtexec rewrites the file in place, so a cut in the middle leaves half of one: it only ever sees a copy, and what is kept
 * has its sha256 beside it.
 * @param ownDir `<models directory>/.agent`
 */
export function timingCache(ownDir: string, { tensorrt, sm }: Pick<BuildOrder, "tensorrt" | "sm">): TimingCache {
  const folder = join(ownDir, "timing");
  const name = `${tensorrt}-sm${sm ?? "unknown"}`.replaceAll(/[^\w.-]/g, "_");
  const kept = join(folder, `${name}.cache`);
  const sum = join(folder, `${name}.sha256`);
  const forget = async () => {
    await rm(kept, { force: true });
    await rm(sum, { force: true });
  };
  return {
    async lend(path) {
      const expected = await readFile(sum, "utf8").catch(() => null);
      const actual = await digestOf(kept);
      if (actual === null || actual !== expected?.trim()) return forget();
      await copyFile(kept, path, constants.COPYFILE_EXCL);
    },
    async keep(path) {
      const digest = await digestOf(path);
      if (digest === null) return;
      await mkdir(folder, { recursive: true });
      await dropOthers(folder, name);
      const handle = await open(path, "r");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(path, kept);
      await syncDirectory(folder);
      await replaceFile(sum, `${digest}\n`);
    },
    forget,
  };
}

/** Of a TensorRT that is no longer here nothing is needed. */
async function dropOthers(folder: string, name: string): Promise<void> {
  for (const other of await readdir(folder)) {
    if (!other.startsWith(`${name}.`)) await rm(join(folder, other), { recursive: true, force: true });
  }
}

/** @returns null for what is not there or is no plain file */
async function digestOf(path: string): Promise<string | null> {
  const handle = await openRegular(path).catch(() => null);
  if (!handle) return null;
  try {
    return await hashHandle(handle);
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}
