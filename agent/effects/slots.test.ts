// Slot links on a real directory: relative, replaced by one rename, and read with suspicion.
import { mkdir, readdir, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeModel } from "../testing/fake-model.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { fingerprints } from "./digest.ts";
import { modelDirectory, prepareModelDirectory } from "./model-directory.ts";
import { observeDisk, pointLink } from "./slots.ts";

const model = fakeModel({ version: "v2.1" });

async function directoryWithModel() {
  const directory = modelDirectory(await tempDir(), "default", "current.trt");
  await prepareModelDirectory(directory);
  await writeFile(directory.file("model-v2.1.trt"), model.bytes);
  return directory;
}
const look = async (directory: Awaited<ReturnType<typeof directoryWithModel>>, digest = model.digest) =>
  (await observeDisk(directory, { "model-v2.1.trt": { version: "v2.1", digest, sizeBytes: 1 } }, fingerprints()))
    .current;

test("a link is relative, can be set again, and leaves nothing behind", async () => {
  const directory = await directoryWithModel();
  expect(await pointLink(directory.currentLink, "model-v2.1.trt")).toBe(true);
  expect(await pointLink(directory.currentLink, "model-v2.1.trt")).toBe(true);
  expect(await readlink(directory.currentLink)).toBe("model-v2.1.trt");
  expect((await readdir(directory.path)).toSorted()).toEqual([".agent", "current.trt", "model-v2.1.trt"]);
  expect(await look(directory)).toMatchObject({ is: "file", version: "v2.1", digest: model.digest });
});

test("a link is never pointed to a file that is not there", async () => {
  const directory = await directoryWithModel();
  expect(await pointLink(directory.currentLink, "model-v9.trt")).toBe(false);
  expect(await look(directory)).toEqual({ is: "empty" });
});

test("a leftover of a killed agent under the temporary name is no obstacle", async () => {
  const directory = await directoryWithModel();
  await symlink("model-v1.trt", join(directory.path, ".current.trt.next"));
  expect(await pointLink(directory.currentLink, "model-v2.1.trt")).toBe(true);
});

test("a dangling link and a damaged file are told apart", async () => {
  const directory = await directoryWithModel();
  await symlink("model-v2.1.trt", directory.currentLink);
  expect(await look(directory, "f".repeat(64))).toEqual({ is: "broken", file: "model-v2.1.trt", why: "damaged" });
  await symlink("model-v3.trt", directory.backupLink);
  const { backup } = await observeDisk(directory, {}, fingerprints());
  expect(backup).toEqual({ is: "broken", file: "model-v3.trt", why: "missing" });
});

test("fault 14: a damaged file is noticed while the agent runs, by its changed times", async () => {
  const directory = await directoryWithModel();
  await pointLink(directory.currentLink, "model-v2.1.trt");
  const prints = fingerprints();
  const published = { "model-v2.1.trt": { version: "v2.1", digest: model.digest, sizeBytes: 1 } };
  expect((await observeDisk(directory, published, prints)).current.is).toBe("file");
  await writeFile(directory.file("model-v2.1.trt"), Buffer.alloc(model.bytes.length, "x"));
  expect((await observeDisk(directory, published, prints)).current).toMatchObject({ is: "broken", why: "damaged" });
});

test("what was made by hand with an absolute link into the directory is understood; anything else is left alone", async () => {
  const directory = await directoryWithModel();
  await symlink(directory.file("model-v2.1.trt"), directory.currentLink);
  expect(await look(directory)).toMatchObject({ is: "file", version: "v2.1" });
  await symlink("/etc/passwd", directory.backupLink);
  expect((await observeDisk(directory, {}, fingerprints())).backup.is).toBe("foreign");
});

test("a plain file in a link's place, and a folder behind one, are foreign", async () => {
  const directory = await directoryWithModel();
  await writeFile(directory.currentLink, "a model");
  expect((await look(directory)).is).toBe("foreign");
  await mkdir(directory.file("model-v4.trt"));
  await symlink("model-v4.trt", directory.backupLink);
  expect((await observeDisk(directory, {}, fingerprints())).backup.is).toBe("foreign");
});

test("staging that is a link elsewhere is refused at the start", async () => {
  const dir = await tempDir();
  await mkdir(join(dir, "elsewhere"));
  await symlink(join(dir, "elsewhere"), join(dir, ".agent"));
  await expect(prepareModelDirectory(modelDirectory(dir, "default", "current.trt"))).rejects.toMatchObject({
    code: "STAGING_ELSEWHERE",
  });
});
