// Parts of uploads: each upload writes into a file that nobody else has open, so that one which stalls and continues cannot change what another has published.
import { randomUUID } from "node:crypto";
import { constants, copyFile, mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Digest } from "@context-edge/protocol";

export interface Part {
  file: string;
  /** It broke off: whoever comes next may go on from it. */
  keep(): Promise<void>;
  /** Its bytes are of no use to anybody. */
  discard(): Promise<void>;
  /** It has become the artifact: what others left of the same file is not needed any more. */
  published(): Promise<void>;
}

export interface Parts {
  /** Bytes of the longest part of this file. */
  longest(digest: Digest): Promise<number>;
  /** A part for one upload alone, with at least the first `start` bytes. Undefined where nobody has left that many. */
  begin(digest: Digest, start: number): Promise<Part | undefined>;
  /** @returns how many were left alone for so long that nobody will go on with them, and are gone. */
  discardOlderThan(beforeMs: number): Promise<number>;
}

const ENDING = ".part";

export function keepParts(dir: string): Parts {
  /** Being written by an upload of this process. */
  const live = new Set<string>();
  /**
   * Written and closed by this process. Only these are gone on with as they are: what another process left, be it a killed one or
   * another hub on a shared disk, may still be open there, and is copied.
   */
  const resting = new Set<string>();

  const all = async () => (await readdir(dir).catch(() => [])).filter((name) => name.endsWith(ENDING));
  const of = async (digest: Digest) => {
    const files = (await all()).filter((name) => name.startsWith(`${digest}.`)).map((name) => join(dir, name));
    const found = await Promise.all(files.map(async (file) => ({ file, sizeBytes: await sizeOf(file) })));
    return found.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
  };
  const remove = async (file: string) => {
    if (live.has(file)) return;
    resting.delete(file);
    await rm(file, { force: true });
  };

  const partAt = (digest: Digest, file: string, copiedFrom: string | undefined): Part => ({
    file,
    async keep() {
      live.delete(file);
      resting.add(file);
      const [, ...shorter] = (await of(digest)).filter((part) => resting.has(part.file));
      for (const part of shorter) if (resting.has(part.file)) await remove(part.file);
    },
    async discard() {
      live.delete(file);
      await remove(file);
      // Else its bytes would be offered for going on with, and be wrong again.
      if (copiedFrom !== undefined) await remove(copiedFrom);
    },
    async published() {
      live.delete(file);
      for (const part of await of(digest)) await remove(part.file);
    },
  });

  return {
    longest: async (digest) => (await of(digest))[0]?.sizeBytes ?? 0,
    async begin(digest, start) {
      await mkdir(dir, { recursive: true });
      const own = join(dir, `${digest}.${randomUUID()}${ENDING}`);
      if (start === 0) {
        live.add(own);
        return partAt(digest, own, undefined);
      }
      const enough = (await of(digest)).filter(({ sizeBytes }) => sizeBytes >= start);
      const taken = enough.find(({ file }) => resting.delete(file));
      if (taken) {
        live.add(taken.file);
        return partAt(digest, taken.file, undefined);
      }
      const [source] = enough;
      if (!source) return undefined;
      live.add(own);
      const part = partAt(digest, own, source.file);
      try {
        // A clone where the filesystem can: then a gigabyte costs nothing.
        await copyFile(source.file, own, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
        return part;
      } catch (error) {
        live.delete(own);
        await remove(own);
        // Published or discarded meanwhile.
        if (isGone(error)) return undefined;
        throw error;
      }
    },
    async discardOlderThan(beforeMs) {
      let count = 0;
      for (const name of await all()) {
        const file = join(dir, basename(name));
        const writtenMs = await stat(file).then(
          ({ mtimeMs }) => mtimeMs,
          () => Infinity,
        );
        if (live.has(file) || writtenMs >= beforeMs) continue;
        await remove(file);
        count += 1;
      }
      return count;
    },
  };
}

export const isGone = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";

const sizeOf = (file: string) =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );
