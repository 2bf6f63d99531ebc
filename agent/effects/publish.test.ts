// From partial file to published file: read-only, under the version's name, and never over something else.
import { linkSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { ProbePolicy } from "@context-edge/protocol";
import { expect, test } from "vitest";
import type { Candidate } from "../core/state.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { type ModelDirectory, modelDirectory, prepareModelDirectory } from "./model-directory.ts";
import { publish } from "./publish.ts";

const model = fakeModel({ version: "v2.1" });
const candidate: Candidate = {
  model: "default",
  version: "v2.1",
  digest: model.digest,
  sizeBytes: model.bytes.length,
  format: "trt",
  release: 1,
  minimumRelease: 0,
  deploymentId: "d",
  retry: 0,
  policy: ProbePolicy.parse({}),
};

async function fetched(bytes: Buffer | null = model.bytes) {
  const directory = modelDirectory(await tempDir(), "default", "current.trt");
  await prepareModelDirectory(directory);
  if (bytes) await writeFile(directory.partial(model.digest), bytes);
  return { directory, publishing: { directory, candidate, held: [], signal: new AbortController().signal } };
}

test("a whole file is published read-only under the version's name, and again without harm", async () => {
  const { directory, publishing } = await fetched();
  expect(await publish(publishing)).toEqual({ is: "published", file: "model-v2.1.trt" });
  expect((await stat(directory.file("model-v2.1.trt"))).mode & 0o777).toBe(0o444);
  expect(await publish(publishing)).toEqual({ is: "published", file: "model-v2.1.trt" });
});

test("other bytes are refused with their digest, and the partial file is gone", async () => {
  const { publishing } = await fetched(Buffer.alloc(2_000, "x"));
  expect(await publish(publishing)).toMatchObject({ is: "mismatch", actualBytes: 2_000 });
  expect(await publish(publishing)).toEqual({ is: "absent" });
});

test("a name that other bytes hold is left to them, and a piece of the digest tells the files apart", async () => {
  const { directory, publishing } = await fetched();
  await writeFile(directory.file("model-v2.1.trt"), "something else");
  expect(await publish(publishing)).toEqual({ is: "published", file: `model-v2.1-${model.digest.slice(0, 12)}.trt` });
  expect(await readFile(directory.file("model-v2.1.trt"), "utf8")).toBe("something else");
});

test("a link in the partial file's place is not followed", async () => {
  const { directory, publishing } = await fetched(null);
  await writeFile(directory.file("victim"), model.bytes);
  await symlink(directory.file("victim"), directory.partial(model.digest));
  await expect(publish(publishing)).rejects.toMatchObject({ code: "ELOOP" });
});

const EVIL = Buffer.from("other bytes of the same length".padEnd(model.bytes.length, "!"));

/** The same directory, but somebody acts at the very instant between the hash and the rename: when the free name is looked for. */
function betweenHashAndRename(directory: ModelDirectory, act: () => void): ModelDirectory {
  let asked = 0;
  return {
    ...directory,
    file(name) {
      asked += 1;
      // Twice before, to see whether the bytes are there already.
      if (asked === 3) act();
      return directory.file(name);
    },
  };
}

test.each<[string, (part: string, evil: string) => void]>([
  ["another file is renamed over it", (part, evil) => renameSync(evil, part)],
  [
    "a link to another file is put in its place",
    (part, evil) => {
      symlinkSync(evil, `${part}.link`);
      renameSync(`${part}.link`, part);
    },
  ],
  [
    "it becomes a second name of another file",
    (part, evil) => {
      linkSync(evil, `${part}.link`);
      renameSync(`${part}.link`, part);
    },
  ],
])(
  "file swapped between hash and rename (Crossplane GHSA-mf7q-r4rv-jv94): %s, and it gets no model's name",
  async (_how, swap) => {
    const { directory, publishing } = await fetched();
    await writeFile(directory.file("model-v2.0.trt"), "the running model");
    await symlink("model-v2.0.trt", directory.currentLink);
    const evil = `${directory.path}/.agent/evil`;
    writeFileSync(evil, EVIL);
    const attacked = betweenHashAndRename(directory, () => swap(directory.partial(model.digest), evil));
    await expect(publish({ ...publishing, directory: attacked })).rejects.toThrow(/exchanged/);
    expect((await readdir(directory.path)).filter((name) => name.startsWith("model-"))).toEqual(["model-v2.0.trt"]);
    expect(await readlink(directory.currentLink)).toBe("model-v2.0.trt");
    // Nothing of it is taken for the version's file afterwards, and the true bytes are published as ever.
    expect(await publish(publishing)).toEqual({ is: "absent" });
    await writeFile(directory.partial(model.digest), model.bytes);
    expect(await publish(publishing)).toEqual({ is: "published", file: "model-v2.1.trt" });
    expect(await readFile(directory.file("model-v2.1.trt"))).toEqual(model.bytes);
  },
);
