// Where models may lie: real mounts where this is root, and the kernel's table in words for what cannot be mounted here.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bind, canMount, ext4, overlay, remountReadOnly, tmpfs } from "../testing/mounts.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { checkModelsFilesystem, judgeMount, mountOf, parseMountInfo } from "./filesystem.ts";
import { modelDirectory, prepareModelDirectory } from "./model-directory.ts";

const MOUNTS = await canMount("filesystem.test.ts");
const check = (path: string, ...allowed: string[]) => checkModelsFilesystem(path, { allowed });

test.runIf(MOUNTS)(
  "a directory in memory is refused, because it is empty after a reboot, unless a lab allows it",
  async () => {
    const point = await tmpfs();
    await expect(check(point)).rejects.toMatchObject({ code: "FILESYSTEM_VANISHES" });
    await expect(check(join(point, "not", "made", "yet"))).rejects.toMatchObject({ code: "FILESYSTEM_VANISHES" });
    await expect(check(point, "tmpfs")).resolves.toBe(undefined);
  },
);

test.runIf(MOUNTS)("a disk of its own is accepted, and refused once it is mounted read-only", async () => {
  const point = await ext4(16);
  await expect(check(point)).resolves.toBe(undefined);
  await remountReadOnly(point);
  await expect(check(point, "ext4")).rejects.toMatchObject({
    code: "FILESYSTEM_READ_ONLY",
    nextStep: expect.stringMatching(/kernel log/),
  });
});

test.runIf(MOUNTS)("an overlay kept in memory is refused, one kept on a disk of this machine is not", async () => {
  await expect(check(await overlay(await tmpfs()))).rejects.toMatchObject({ code: "FILESYSTEM_VANISHES" });
  await expect(check(await overlay(await ext4(16)))).resolves.toBe(undefined);
});

test.runIf(MOUNTS)("a directory mounted into a refused place counts as what it is mounted from", async () => {
  const memory = await tmpfs();
  const models = join(memory, "models");
  await mkdir(models);
  await bind(await ext4(16), models);
  await expect(check(models)).resolves.toBe(undefined);
  await expect(check(memory)).rejects.toMatchObject({ code: "FILESYSTEM_VANISHES" });
});

test.runIf(MOUNTS)(
  "fault 20: staging on another filesystem refuses the start, whether mounted or bound there",
  async () => {
    for (const inner of [".agent", ".agent/partial"]) {
      const dir = await tempDir();
      await mkdir(join(dir, inner), { recursive: true });
      await bind(await ext4(16), join(dir, inner));
      await expect(prepareModelDirectory(modelDirectory(dir, "default", "current.trt"))).rejects.toMatchObject({
        code: "STAGING_ELSEWHERE",
      });
    }
  },
);

const CONTAINER = `1 0 0:57 / / rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/var/lib/docker/overlay2/x/diff,workdir=/w
2 1 0:60 / /proc rw - proc proc rw
3 1 254:1 /opt /opt/context-edge/models rw,relatime master:1 shared:2 - ext4 /dev/mmcblk0p1 rw`;
const HOST = `1 0 254:0 / / rw,relatime - ext4 /dev/mmcblk0p1 rw
2 1 0:50 / /mnt/factory rw - nfs4 server:/x rw,vers=4.2
3 1 8:1 / /media/usb\\040stick rw - vfat /dev/sda1 rw
4 1 8:2 / /media/ntfs rw - fuseblk /dev/sda2 rw
5 1 0:51 / /mnt/share rw - cifs //server/share rw
6 1 8:3 / /data ro - ext4 /dev/sda3 rw
7 1 8:4 / /forced rw - ext4 /dev/sda4 ro
8 1 0:52 / /data2 rw - btrfs /dev/sda5 rw
9 1 0:53 / /over rw - tmpfs none rw
10 1 8:6 / /over rw - ext4 /dev/sda6 rw`;

test.each([
  [CONTAINER, "/opt/context-edge/models", null],
  [CONTAINER, "/opt/context-edge/other", "FILESYSTEM_OVERLAY"],
  [HOST, "/opt/context-edge/models", null],
  [HOST, "/mnt/factory/models", "FILESYSTEM_UNFIT"],
  [HOST, "/media/usb stick", "FILESYSTEM_UNFIT"],
  [HOST, "/media/ntfs", "FILESYSTEM_UNFIT"],
  [HOST, "/mnt/share", "FILESYSTEM_UNFIT"],
  [HOST, "/data/models", "FILESYSTEM_READ_ONLY"],
  [HOST, "/forced", "FILESYSTEM_READ_ONLY"],
  [HOST, "/data2/models", null],
  // Of two mounts on one place the later one is what is seen.
  [HOST, "/over", null],
])("of %# the place %s is judged as %s", async (table, path, code) => {
  const mounts = parseMountInfo(table);
  const refusal = await judgeMount(path, mountOf(mounts, path), mounts, []);
  expect(refusal?.code ?? null).toBe(code);
});

test("an operator may allow what is normally refused, but nothing makes a read-only mount writable", async () => {
  const mounts = parseMountInfo(HOST);
  expect(await judgeMount("/mnt/factory", mountOf(mounts, "/mnt/factory"), mounts, ["nfs4"])).toBe(null);
  expect(await judgeMount("/data", mountOf(mounts, "/data"), mounts, ["ext4"])).toMatchObject({
    code: "FILESYSTEM_READ_ONLY",
  });
});

test("a place whose name begins like a mount is not on it", () => {
  expect(mountOf(parseMountInfo(HOST), "/database")?.point).toBe("/");
});
