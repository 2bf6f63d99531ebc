// A disk that fills up before, while and after: the download is given up, its part freed, and nothing else is touched.
import { mkdir, readdir, readFile, readlink, statfs, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BYTES, from, ranged } from "../testing/download-from.ts";
import { inChild, injecting, STRACE } from "../testing/in-child.ts";
import { loopbackServer } from "../testing/loopback-server.ts";
import { canMount, ext4 } from "../testing/mounts.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { importPath, prepareImports } from "./imports.ts";
import { modelDirectory, prepareModelDirectory } from "./model-directory.ts";
import { checkFree, checkSpace, countPublished } from "./space.ts";

const MOUNTS = await canMount("space.test.ts");
if (STRACE === undefined)
  console.log("space.test.ts: errors of single system calls not tested, strace is not installed");
const MIB = 1024 * 1024;
const BIG = Buffer.alloc(20 * MIB, 7);
const big = () =>
  loopbackServer((_q, r) => void r.writeHead(200, { "content-length": BIG.length, etag: '"b"' }).end(BIG));

/** A models directory with a running model, and what must be the same afterwards. */
async function running(dir: string) {
  const directory = modelDirectory(dir, "default", "current.trt");
  await prepareModelDirectory(directory);
  await writeFile(directory.file("model-v1.trt"), "the running model");
  await symlink("model-v1.trt", directory.currentLink);
  return {
    directory,
    partPath: directory.partial("b".repeat(64)),
    isUntouched: async () => {
      expect(await readFile(directory.currentLink, "utf8")).toBe("the running model");
      expect(await readlink(directory.currentLink)).toBe("model-v1.trt");
      expect(await readdir(join(dir, ".agent", "partial"))).toEqual([]);
    },
  };
}

test.runIf(MOUNTS)("fault 5: a disk of 16 MB that fills up in a download ends it, and has its space back", async () => {
  const disk = await ext4(16);
  const { partPath, isUntouched } = await running(disk);
  const before = await statfs(disk);
  const { result } = await from(await big(), { partPath, sizeBytes: BIG.length });
  expect(result).toMatchObject({ mishap: { code: "DISK_FULL", kind: "passing" } });
  await isUntouched();
  expect((await statfs(disk)).bavail).toBeGreaterThan(before.bavail - 16);
});

test("the reserve stays free: a download that would cut into it is not begun, and its part is freed", async () => {
  const dir = await tempDir();
  const { partPath, isUntouched } = await running(dir);
  await writeFile(partPath, BYTES.subarray(0, 1_000));
  const { result } = await from(ranged, { partPath, reserveBytes: 2 ** 60 });
  expect(result).toMatchObject({ mishap: { code: "DISK_FULL", kind: "passing" } });
  await isUntouched();
});

test.runIf(STRACE).each([
  ["fault 9: a quota used up", "EDQUOT", /quota/],
  ["fault 5: a full disk that no look ahead foresaw", "ENOSPC", /full/],
])(
  "%s in the middle ends the download, and the part is freed",
  async (_what, errno, words) => {
    const { partPath, isUntouched } = await running(await tempDir());
    const task = { what: "download", url: await big(), partPath, sizeBytes: BIG.length } as const;
    const results = await inChild(task, {}, injecting("pwritev,pwrite64", errno, "4+"));
    expect(results).toMatchObject([{ ok: false, mishap: { code: "DISK_FULL", kind: "passing" } }]);
    expect(results[0]?.mishap?.message).toMatch(words);
    await isUntouched();
  },
  60_000,
);

test.runIf(STRACE)(
  "an fsync that fails is never trusted a second time: what was fetched is thrown away",
  async () => {
    const { partPath, isUntouched } = await running(await tempDir());
    const task = { what: "download", url: await loopbackServer(ranged), partPath, sizeBytes: BYTES.length } as const;
    const results = await inChild(task, {}, injecting("fsync,fdatasync", "EIO", "1+"));
    expect(results).toMatchObject([{ ok: false, mishap: { code: "DISK_ERROR", kind: "passing" } }]);
    await isUntouched();
  },
  60_000,
);

test.runIf(MOUNTS)("fault 10: a disk without a free inode is told as such, and nothing else is touched", async () => {
  const disk = await ext4(16, ["-N", "32"]);
  const { partPath, isUntouched } = await running(disk);
  for (let index = 0; (await statfs(disk)).ffree > 0; index += 1) await writeFile(join(disk, `small-${index}`), "");
  const { result } = await from(ranged, { partPath });
  expect(result).toMatchObject({ mishap: { code: "DISK_FULL", kind: "passing" } });
  await isUntouched();
  expect(await checkFree(disk, 0)).toMatchObject({ code: "DISK_FULL", message: expect.stringMatching(/inodes/) });
});

test("fault 11: with no file left to open the download fails for the time being, and works once there is one", async () => {
  const { partPath } = await running(await tempDir());
  const task = { what: "download", url: await loopbackServer(ranged), partPath, sizeBytes: BYTES.length } as const;
  const limited = ["/bin/sh", "-c", 'ulimit -n 128; exec "$@"', "sh"];
  const results = await inChild({ ...task, exhaustFiles: true }, {}, limited);
  expect(results).toMatchObject([{ ok: false, mishap: { code: "TOO_MANY_FILES", kind: "passing" } }, { ok: true }]);
  expect(await readFile(partPath)).toEqual(BYTES);
}, 60_000);

const candidate = { version: "v2", digest: "c".repeat(64), sizeBytes: 1_000_000 };
async function asked(more: Partial<Parameters<typeof checkSpace>[0]> = {}) {
  const dir = await tempDir();
  const directory = modelDirectory(dir, "default", "current.trt");
  await prepareModelDirectory(directory);
  const ownDir = join(dir, ".agent");
  const question = { directory, ownDir, candidate, reserveBytes: 0, budgetBytes: null, publishedBytes: 0, ...more };
  return { question, mishap: await checkSpace(question) };
}

test("room is asked for beforehand: for the file, and for the reserve on top", async () => {
  expect((await asked()).mishap).toBe(null);
  expect((await asked({ reserveBytes: 2 ** 60 })).mishap).toMatchObject({ code: "DISK_FULL", kind: "passing" });
});

test("the budget counts what is published; a file that fits on no account is refused for good", async () => {
  expect((await asked({ budgetBytes: 2_000_000, publishedBytes: 900_000 })).mishap).toBe(null);
  expect((await asked({ budgetBytes: 2_000_000, publishedBytes: 1_100_000 })).mishap).toMatchObject({
    code: "DISK_BUDGET",
    kind: "passing",
  });
  expect((await asked({ budgetBytes: 900_000 })).mishap).toMatchObject({ code: "DISK_BUDGET", kind: "permanent" });
});

test.runIf(MOUNTS)("what is fetched or imported already needs no room a second time", async () => {
  const disk = await ext4(16);
  const { directory } = await running(disk);
  const ownDir = join(disk, ".agent");
  const { bavail, bsize } = await statfs(disk);
  const large = { ...candidate, sizeBytes: bavail * bsize - MIB };
  const question = { directory, ownDir, candidate: large, reserveBytes: 2 * MIB, budgetBytes: null, publishedBytes: 0 };
  expect(await checkSpace(question)).toMatchObject({ code: "DISK_FULL" });
  await prepareImports(ownDir);
  await writeFile(importPath(ownDir, large.digest), Buffer.alloc(large.sizeBytes));
  // Imported whole: only the reserve still counts, and that is cut into now.
  expect(await checkSpace({ ...question, reserveBytes: MIB / 2 })).toBe(null);
});

test("what is published is counted over all models, without links and without partial files", async () => {
  const { directory } = await running(await tempDir());
  const vision = modelDirectory(directory.path, "vision", "current.trt");
  await mkdir(vision.path);
  await writeFile(vision.file("model-v1.trt"), Buffer.alloc(1_000));
  await writeFile(directory.partial("d".repeat(64)), Buffer.alloc(5_000));
  expect(await countPublished([directory, vision])).toBe("the running model".length + 1_000);
  expect(await countPublished([modelDirectory(directory.path, "absent", "current.trt")])).toBe(0);
});
