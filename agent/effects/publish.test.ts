// From partial file to published file: read-only, under the version's name, and never over something else.
import { readFile, stat, symlink, writeFile } from "node:fs/promises";
import { ProbePolicy } from "@context-edge/protocol";
import { expect, test } from "vitest";
import type { Candidate } from "../core/state.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { modelDirectory, prepareModelDirectory } from "./model-directory.ts";
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
