// Real mounts for tests that run as root: small disks, memory disks, binds. Always unmounted; without root a reason is printed.
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { tempDir } from "./temp-dir.ts";

const run = promisify(execFile);

/** Whether this process may mount; says why not, so that a test left out is never left out silently. */
export async function canMount(testFile: string): Promise<boolean> {
  if (process.getuid?.() !== 0) {
    console.log(`${testFile}: tests on real mounts not run, this is not root`);
    return false;
  }
  try {
    // A mount namespace of its own: nothing of this trial is seen outside.
    await run("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]);
    return true;
  } catch {
    console.log(`${testFile}: tests on real mounts not run, this container may not mount`);
    return false;
  }
}

/** A directory with this mounted on it until the test is over. */
async function mounted(...words: string[]): Promise<string> {
  const point = join(await tempDir(), "mount");
  await mkdir(point);
  await run("mount", [...words, point]);
  onTestFinished(() => unmount(point));
  return point;
}

export const unmount = async (point: string): Promise<void> => void (await run("umount", ["--lazy", point]));

export const tmpfs = (options = "size=16m") => mounted("-t", "tmpfs", "-o", options, "none");

/** @param more options of mkfs, such as `-N 16` for few inodes */
export async function ext4(sizeMb: number, more: readonly string[] = []): Promise<string> {
  const image = join(await tempDir(), "disk.img");
  await run("truncate", ["-s", `${sizeMb}M`, image]);
  await run("mkfs.ext4", ["-qF", "-m", "0", ...more, image]);
  return mounted("-o", "loop", image);
}

/** Mounts one directory over another that exists. */
export async function bind(from: string, onto: string): Promise<void> {
  await run("mount", ["--bind", from, onto]);
  onTestFinished(() => unmount(onto));
}

export const remountReadOnly = async (point: string): Promise<void> =>
  void (await run("mount", ["-o", "remount,ro", point]));

export async function overlay(upper: string): Promise<string> {
  const [lower, kept, work] = [join(await tempDir(), "lower"), join(upper, "kept"), join(upper, "work")];
  for (const folder of [lower, kept, work]) await mkdir(folder, { recursive: true });
  return mounted("-t", "overlay", "-o", `lowerdir=${lower},upperdir=${kept},workdir=${work}`, "overlay");
}
