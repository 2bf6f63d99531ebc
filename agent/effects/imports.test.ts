// Models brought by hand: copied whole or not at all, never by a planted link, never for their names, and used like a download.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFile, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ProbePolicy } from "@context-edge/protocol";
import { expect, test } from "vitest";
import type { Candidate } from "../core/state.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { canMount, ext4 } from "../testing/mounts.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { dropStaleImports, importPath, importsDir, takeImport } from "./imports.ts";
import { modelDirectory, prepareModelDirectory } from "./model-directory.ts";
import { publish } from "./publish.ts";
import { placeImports } from "./stick.ts";

const MOUNTS = await canMount("imports.test.ts");
const model = fakeModel({ version: "v2.1" }, 3_000_000);
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
const { signal } = new AbortController();

async function device(modelsDir?: string) {
  const path = modelsDir ?? (await tempDir());
  const directory = modelDirectory(path, "default", "current.trt");
  await prepareModelDirectory(directory);
  const ownDir = join(path, ".agent");
  const place = (from: string, reserveBytes = 0) => placeImports({ ownDir, path: from, reserveBytes, signal });
  return { directory, ownDir, place, imports: () => readdir(importsDir(ownDir)).catch(() => []) };
}

test("an imported file becomes the part of its download and is verified exactly as one", async () => {
  const { directory, ownDir, place, imports } = await device();
  const file = join(await tempDir(), "whatever-it-is-called");
  await writeFile(file, model.bytes);
  expect(await place(file)).toEqual({
    ok: true,
    files: [{ file: "whatever-it-is-called", digest: model.digest, sizeBytes: model.bytes.length }],
    documents: { manifest: null, assignment: null },
  });
  expect(await takeImport(ownDir, candidate, directory.partial(model.digest))).toBe(true);
  expect(await imports()).toEqual([]);
  expect(await publish({ directory, candidate, held: [], signal })).toEqual({
    is: "published",
    file: "model-v2.1.trt",
  });
  // Once taken it is gone: the next fetch downloads.
  expect(await takeImport(ownDir, candidate, directory.partial(model.digest))).toBe(false);
});

test("an import that rotted after it was hashed is caught from the disk, like any download", async () => {
  const { directory, ownDir, place } = await device();
  const file = join(await tempDir(), "m.trt");
  await writeFile(file, model.bytes);
  await place(file);
  await writeFile(importPath(ownDir, model.digest), Buffer.alloc(model.bytes.length, "x"));
  expect(await takeImport(ownDir, candidate, directory.partial(model.digest))).toBe(true);
  expect(await publish({ directory, candidate, held: [], signal })).toMatchObject({ is: "mismatch" });
});

test("an import of another size is not taken", async () => {
  const { directory, ownDir, place } = await device();
  const file = join(await tempDir(), "m.trt");
  await writeFile(file, model.bytes);
  await place(file);
  await appendFile(importPath(ownDir, model.digest), "more");
  expect(await takeImport(ownDir, candidate, directory.partial(model.digest))).toBe(false);
});

test("of a stick every model file is taken, other files are left, and sealed documents come along", async () => {
  const { place, imports } = await device();
  const stick = await tempDir();
  const names = ["a.trt", "b.engine", "c.PLAN", "d.onnx"];
  for (const name of names) await writeFile(join(stick, name), `content of ${name}`);
  await writeFile(join(stick, "holiday.jpg"), "no model");
  await mkdir(join(stick, "folder.trt"));
  await writeFile(join(stick, "manifest.json"), '{"payload":"bWFuaWZlc3Q="}');
  await writeFile(join(stick, "assignment.json"), "{ torn");
  const placed = await place(stick);
  expect(placed).toMatchObject({
    ok: true,
    documents: { manifest: { payload: "bWFuaWZlc3Q=" }, assignment: null },
  });
  expect(placed.ok && placed.files.map(({ file }) => file)).toEqual(names);
  const digests = names.map((name) => createHash("sha256").update(`content of ${name}`).digest("hex"));
  expect(new Set(await imports())).toEqual(new Set(digests));
});

test("a stick with documents only is worth importing, an empty one is told as such, and so is a missing one", async () => {
  const { place } = await device();
  const stick = await tempDir();
  expect(await place(stick)).toMatchObject({ ok: false, mishap: { code: "NOTHING_TO_IMPORT" } });
  expect(await place(join(stick, "gone"))).toMatchObject({ ok: false, mishap: { code: "NOTHING_TO_IMPORT" } });
  await writeFile(join(stick, "assignment.json"), "{}");
  expect(await place(stick)).toMatchObject({ ok: true, files: [], documents: { assignment: {} } });
});

test("a link planted on the stick is never followed, and a named pipe never waited for", async () => {
  const { place, imports } = await device();
  const stick = await tempDir();
  const secret = join(await tempDir(), "secret");
  await writeFile(secret, "precious");
  for (const name of ["a.trt", "manifest.json"]) await symlink(secret, join(stick, name));
  await promisify(execFile)("mkfifo", [join(stick, "pipe.onnx")]);
  expect(await place(stick)).toMatchObject({ ok: false, mishap: { code: "NOTHING_TO_IMPORT" } });
  expect(await place(join(stick, "a.trt"))).toMatchObject({ ok: false, mishap: { code: "NOT_A_FILE" } });
  expect(await place(join(stick, "pipe.onnx"))).toMatchObject({ ok: false, mishap: { code: "NOT_A_FILE" } });
  expect(await imports()).toEqual([]);
});

test("an import that would cut into the reserve is refused, and leaves nothing", async () => {
  const { place, imports } = await device();
  const file = join(await tempDir(), "m.trt");
  await writeFile(file, model.bytes);
  expect(await place(file, 2 ** 60)).toMatchObject({ ok: false, mishap: { code: "DISK_FULL" } });
  expect(await imports()).toEqual([]);
});

test.runIf(MOUNTS)("fault 5: an import that does not fit on a small disk leaves the disk as it was", async () => {
  const { place, imports } = await device(await ext4(16));
  const file = join(await tempDir(), "m.trt");
  await writeFile(file, Buffer.alloc(20 * 1024 * 1024, 1));
  expect(await place(file)).toMatchObject({ ok: false, mishap: { code: "DISK_FULL" } });
  expect(await imports()).toEqual([]);
});

const NOW = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
/** Imports of 1,000 bytes with these ages in days. */
async function withImports(ages: readonly number[]) {
  const { ownDir, imports } = await device();
  await mkdir(importsDir(ownDir), { recursive: true });
  const digests = ages.map((_age, index) => String(index).repeat(64));
  for (const [index, digest] of digests.entries()) {
    await writeFile(importPath(ownDir, digest), Buffer.alloc(1_000));
    const at = (NOW - (ages[index] ?? 0) * DAY) / 1_000;
    await utimes(importPath(ownDir, digest), at, at);
  }
  return { ownDir, imports, digests };
}

test("imports that nobody asked for in 30 days are dropped", async () => {
  const { ownDir, imports, digests } = await withImports([31, 29]);
  const dropped = await dropStaleImports({ ownDir, now: NOW, budgetBytes: null, publishedBytes: 0 });
  expect(dropped).toEqual([digests[0]]);
  expect(await imports()).toEqual([digests[1]]);
});

test("when models and imports together outgrow the budget, the oldest imports go first", async () => {
  const { ownDir, imports, digests } = await withImports([1, 3, 2]);
  const dropped = await dropStaleImports({ ownDir, now: NOW, budgetBytes: 3_500, publishedBytes: 1_600 });
  expect(dropped).toEqual([digests[1], digests[2]]);
  expect(await imports()).toEqual([digests[0]]);
});

test("an import made while the clock stood at 1970 is not dropped when the clock is set", async () => {
  const { ownDir, imports, digests } = await withImports([0]);
  const path = importPath(ownDir, digests[0] ?? "");
  await utimes(path, 60, 60);
  expect(await dropStaleImports({ ownDir, now: NOW, budgetBytes: null, publishedBytes: 0 })).toEqual([]);
  expect(await imports()).toEqual(digests);
  expect((await stat(path)).mtimeMs).toBe(NOW);
  // And with the clock still at 1970, nothing looks old.
  expect(await dropStaleImports({ ownDir, now: 120_000, budgetBytes: null, publishedBytes: 0 })).toEqual([]);
});

test("a copy that was cut off is cleared away after an hour, a running one is not", async () => {
  const { ownDir, imports } = await withImports([]);
  for (const [name, minutes] of [
    ["old.tmp", 61],
    ["new.tmp", 5],
  ] as const) {
    await writeFile(join(importsDir(ownDir), name), "half");
    const at = NOW / 1_000 - minutes * 60;
    await utimes(join(importsDir(ownDir), name), at, at);
  }
  await dropStaleImports({ ownDir, now: NOW, budgetBytes: null, publishedBytes: 0 });
  expect(await imports()).toEqual(["new.tmp"]);
});

test("a file that holds the place of the part is replaced, entity tag and all", async () => {
  const { directory, ownDir, place } = await device();
  const file = join(await tempDir(), "m.trt");
  await writeFile(file, model.bytes);
  await place(file);
  const part = directory.partial(model.digest);
  await writeFile(part, "begun");
  await writeFile(`${part}.etag`, '"begun"');
  expect(await takeImport(ownDir, candidate, part)).toBe(true);
  expect(await readFile(part)).toEqual(model.bytes);
  expect(await readdir(join(ownDir, "partial"))).toEqual([`${model.digest}.part`]);
});
