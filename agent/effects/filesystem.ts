// Whether the models' directory lies where files stay and renames are atomic; asked once, before anything is written there.
import { lstat, readFile, realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { AgentError, isMissing } from "../errors.ts";

export interface Mount {
  /** Where it is mounted. */
  point: string;
  type: string;
  isReadOnly: boolean;
  /** For overlay: where the changes are kept, as named by whoever mounted it. */
  upper: string | null;
}

export interface FilesystemRules {
  /** AGENT_ALLOW_FILESYSTEMS: types the operator takes the risk of. */
  allowed: readonly string[];
}

const VANISHING: readonly string[] = ["tmpfs", "ramfs", "devtmpfs"];
/** No atomic rename, no symbolic links, or locks that hold on one machine only. */
const UNFIT = /^(nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|glusterfs|vfat|msdos|fat|exfat|ntfs\d?|fuse(blk|\..*)?|hfsplus)$/;

/** @throws {AgentError} with what is wrong with the place and what to do about it */
export async function checkModelsFilesystem(path: string, { allowed }: FilesystemRules): Promise<void> {
  const mounts = parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));
  const mount = mountOf(mounts, await nearest(resolve(path)));
  const refusal = await judgeMount(path, mount, mounts, allowed);
  if (refusal) throw refusal;
}

/** @param mount null when the system has no table: what is wrong there will show at the first write */
export async function judgeMount(
  path: string,
  mount: Mount | null,
  mounts: readonly Mount[],
  allowed: readonly string[],
): Promise<AgentError | null> {
  if (!mount) return null;
  const { type } = mount;
  if (mount.isReadOnly) {
    const nextStep = "Mount it for writing. Look at the kernel log: a failing disk is often remounted read-only.";
    return refused("FILESYSTEM_READ_ONLY", path, "is mounted read-only", nextStep);
  }
  if (allowed.includes(type)) return null;
  if (VANISHING.includes(type)) return vanishing(path, type);
  if (type === "overlay") return judgeOverlay(path, mount, mounts);
  if (!UNFIT.test(type)) return null;
  return refused(
    "FILESYSTEM_UNFIT",
    path,
    `lies on ${type}, which lacks atomic renames, links or locks that hold against a power cut or a second machine`,
    `Use a disk of this device (ext4, xfs, btrfs, f2fs), or allow it at your own risk: AGENT_ALLOW_FILESYSTEMS=${type}.`,
  );
}

/** The root of some fleets, and of every container: what matters is where the changes go. */
async function judgeOverlay(path: string, { upper }: Mount, mounts: readonly Mount[]): Promise<AgentError | null> {
  const kept = upper === null ? null : mountOf(mounts, upper);
  if (kept && VANISHING.includes(kept.type)) return vanishing(path, `an overlay kept on ${kept.type}`);
  const isHere = upper !== null && (await lstat(upper).catch(() => null)) !== null;
  // An overlay over a disk of this machine that can be seen from here keeps what is written to it.
  if (kept && isHere && kept.type !== "overlay" && !UNFIT.test(kept.type)) return null;
  return refused(
    "FILESYSTEM_OVERLAY",
    path,
    "lies in a container's or an overlay root's own layer, which goes with it",
    "Mount the models directory from the host, as one directory (a volume or hostPath).",
  );
}

function vanishing(path: string, what: string): AgentError {
  return refused(
    "FILESYSTEM_VANISHES",
    path,
    `lies on ${what}: every model would be gone after a reboot`,
    "Mount a directory of a disk there. In a lab, AGENT_ALLOW_FILESYSTEMS=tmpfs (or overlay) allows it.",
  );
}

function refused(code: string, path: string, why: string, nextStep: string): AgentError {
  return new AgentError(code, `the models directory ${path} ${why}`, nextStep);
}

/** The mount that `path` lies on: the longest mount point above it, and of several at one place the last. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | null {
  let found: Mount | null = null;
  for (const mount of mounts) {
    const isAbove = mount.point === "/" || path === mount.point || path.startsWith(`${mount.point}/`);
    if (isAbove && mount.point.length >= (found?.point.length ?? 0)) found = mount;
  }
  return found;
}

/**
 * `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue` (proc_pid_mountinfo(5)). Spaces in
 * names are written `\040`; the optional fields before the dash may be none or many.
 */
export function parseMountInfo(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [before, after] = line.split(" - ");
    const [, , , , point, options] = before?.split(" ") ?? [];
    const [type, , superOptions = ""] = after?.split(" ") ?? [];
    if (point === undefined || options === undefined || type === undefined) return [];
    const all = [...options.split(","), ...superOptions.split(",")];
    const upper = all.find((option) => option.startsWith("upperdir="))?.slice("upperdir=".length);
    return [
      {
        point: unescape(point),
        type,
        isReadOnly: all.includes("ro"),
        upper: upper === undefined ? null : unescape(upper),
      },
    ];
  });
}

const unescape = (text: string) =>
  text.replaceAll(/\\([0-7]{3})/g, (_whole, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));

/** Of a directory that is still to be made, the first one above it that is there. */
async function nearest(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path) throw error;
    return nearest(dirname(path));
  }
}
