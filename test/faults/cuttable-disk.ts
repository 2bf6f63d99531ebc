// A disk whose power can be cut: an ext4 image on a loop device, copied at the very moment, as the platters would keep it.
import { execFile } from "node:child_process";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const SIZE_MB = 64;
/**
 * Without auto_da_alloc ext4 does not mend what a program forgot: a file that is renamed over another and was not synced is
 * empty after the cut (ext4(5)).
 */
const OPTIONS = "loop,noauto_da_alloc";

/**
 * - `bare`: nothing but what was synced is on the disk; the journal's last seconds are lost.
 * - `committed`: somebody else's fsync has just put the file system's journal on the disk, and so the names, but not the bytes,
 *   of everything that was not synced. Most missing fsyncs only show like this.
 */
export const CUTS = ["bare", "committed"] as const;
export type Cut = (typeof CUTS)[number];

export interface CuttableDisk {
  /** A new and empty disk, mounted. */
  format(): Promise<void>;
  /** Mounts a copy of this image, so that it can be mounted again as it is. */
  insert(image: string): Promise<void>;
  /** In good order. @returns the image as it is now */
  eject(): Promise<string>;
  /** What each cut would leave at this moment. The disk itself goes on, and is of no more interest. */
  cut(): Promise<Record<Cut, string>>;
}

/** @returns why there can be no such disk here; null where there can */
export async function whyNoLoopDisk(scratch: string): Promise<string | null> {
  if (process.getuid?.() !== 0) return "this is not root";
  try {
    const disk = cuttableDisk(scratch, join(scratch, "trial"));
    await disk.format();
    await disk.eject();
    return null;
  } catch (error) {
    return `an ext4 image cannot be mounted here: ${String(error).slice(0, 200)}`;
  }
}

/** @param scratch for images; @param point where the disk is mounted, made if need be */
export function cuttableDisk(scratch: string, point: string): CuttableDisk {
  let made = 0;
  let inserted: string | null = null;
  // Never a name that was used before: a loop device that lingers after umount is taken again by mount(8) for the same file,
  // and shows what the file held then.
  const fresh = () => join(scratch, `${process.pid}-${(made += 1)}.img`);
  const mount = async (image: string) => {
    await mkdir(point, { recursive: true });
    await run("mount", ["-o", OPTIONS, image, point]);
    inserted = image;
  };
  const unmount = async () => {
    if (inserted !== null) await run("umount", [point]);
    const image = inserted;
    inserted = null;
    return image;
  };
  /** Sparse. The loop device writes through the page cache of its file, so a copy sees every block that was written. */
  const copyOf = async (image: string) => {
    const copy = fresh();
    await run("cp", ["--sparse=always", image, copy]);
    return copy;
  };
  const drop = async () => {
    const image = await unmount();
    if (image !== null) await rm(image);
  };

  return {
    async format() {
      await drop();
      const image = fresh();
      await run("truncate", ["-s", `${SIZE_MB}M`, image]);
      await run("mkfs.ext4", ["-qF", "-m", "0", image]);
      await mount(image);
    },
    async insert(image) {
      await drop();
      await mount(await copyOf(image));
    },
    async eject() {
      return (await unmount()) ?? "";
    },
    async cut() {
      if (inserted === null) throw new Error("there is no disk to cut");
      const bare = await copyOf(inserted);
      const unrelated = await open(join(point, "of-somebody-else"), "w");
      await unrelated.writeFile("anything");
      await unrelated.sync();
      await unrelated.close();
      return { bare, committed: await copyOf(inserted) };
    },
  };
}
