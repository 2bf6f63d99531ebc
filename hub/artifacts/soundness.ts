// Are a file's bytes still the ones of its name: hashed again before serving when it changed, and otherwise once a day, because disks rot silently.
import { mkdir, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Digest } from "@context-edge/protocol";

interface Found {
  sizeBytes: number;
  mtimeMs: number;
  inode: number;
}

export interface Soundness {
  /** @returns its size, or undefined where there is no such file or it has rotted; then it is set aside. */
  check(digest: Digest, file: string): Promise<{ sizeBytes: number } | undefined>;
}

const TRUST_MS = 24 * 3_600_000;

/** @param rottenDir where rotten files are kept for whoever wants to know why; their name is free for a new upload. */
export function openSoundness(
  rottenDir: string,
  hashFile: (file: string) => Promise<Digest>,
  now: () => number = Date.now,
): Soundness {
  const proved = new Map<Digest, Found & { atMs: number }>();
  const under = new Map<Digest, Promise<boolean>>();

  const prove = async (digest: Digest, file: string, found: Found): Promise<boolean> => {
    if ((await hashFile(file)) === digest) {
      proved.set(digest, { ...found, atMs: now() });
      return true;
    }
    proved.delete(digest);
    await mkdir(rottenDir, { recursive: true });
    await rename(file, join(rottenDir, `${digest}.${now()}`));
    return false;
  };

  return {
    async check(digest, file) {
      const status = await stat(file).catch(() => undefined);
      if (!status) return undefined;
      const found = { sizeBytes: status.size, mtimeMs: status.mtimeMs, inode: status.ino };
      const known = proved.get(digest);
      const isSame =
        known?.sizeBytes === found.sizeBytes && known.mtimeMs === found.mtimeMs && known.inode === found.inode;
      if (known && isSame && now() - known.atMs < TRUST_MS) return found;
      // A whole group asks at once after a deployment: the file is read once for all of them.
      const running = under.get(digest) ?? prove(digest, file, found).finally(() => under.delete(digest));
      under.set(digest, running);
      return (await running) ? found : undefined;
    },
  };
}

export const rottenDirOf = (artifactsDir: string): string => join(dirname(artifactsDir), "rotten-artifacts");
