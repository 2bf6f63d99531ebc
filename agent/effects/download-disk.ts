// What goes on beside the writing of a download: its bytes are put on the disk for good, and the disk's room is watched.
import type { FileHandle } from "node:fs/promises";
import type { Mishap } from "../core/steps.ts";
import { checkFree } from "./space.ts";

/** Synced while the next part comes in, so that the last fsync finds little to do, and a power cut little to take. */
const SYNC_EVERY_BYTES = 32 * 1024 * 1024;
/** How much may be fetched between two looks at the disk's room; the reserve is meant to be larger than this. */
const LOOK_EVERY_BYTES = 4 * 1024 * 1024;

/** One thing at a time beside the loop; what it fails with is thrown by the next `check`. */
function beside() {
  let failed: { error: unknown } | null = null;
  let running: Promise<void> | null = null;
  const run = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      failed = { error };
    }
    running = null;
  };
  return {
    isIdle: () => running === null,
    start(work: () => Promise<void>) {
      running = run(work);
    },
    check() {
      if (failed !== null) throw failed.error;
    },
    settled: () => running ?? Promise.resolve(),
  };
}

export function syncing(handle: FileHandle) {
  const work = beside();
  let bytes = 0;
  return {
    /** @throws what an fdatasync met */
    wrote(more: number) {
      work.check();
      bytes += more;
      if (bytes < SYNC_EVERY_BYTES || !work.isIdle()) return;
      bytes = 0;
      work.start(() => handle.datasync());
    },
    /** The file is whole: it is on the disk, with its length, when this returns. */
    async finish() {
      await work.settled();
      work.check();
      await handle.sync();
    },
    /** Nobody may close the handle before. */
    settled: () => work.settled(),
  };
}

/** Others write to this disk too. The first look is waited for; the later ones are taken beside the writing. */
export function watchingSpace(folder: string, sizeBytes: number, reserveBytes: number) {
  const work = beside();
  let full: Mishap | null = null;
  let nextLook = -Infinity;
  return {
    /** @returns what was seen so far; null while there is room */
    async at(position: number): Promise<Mishap | null> {
      work.check();
      if (position < nextLook || !work.isIdle()) return full;
      const isFirst = nextLook === -Infinity;
      nextLook = position + LOOK_EVERY_BYTES;
      // What comes until the next look, and what may come while this one is taken.
      const neededBytes = Math.min(sizeBytes - position, 2 * LOOK_EVERY_BYTES) + reserveBytes;
      work.start(async () => {
        full = await checkFree(folder, neededBytes);
      });
      if (isFirst) await work.settled();
      work.check();
      return full;
    },
    settled: () => work.settled(),
  };
}
