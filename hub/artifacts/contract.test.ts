// What every place for artifacts must do, run on the directory and on a real S3 protocol server.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  digestOf,
  fetchAll,
  MAX_BYTES,
  openDirectory,
  openOlderS3,
  openS3,
  type Opened,
} from "../testing/artifact-places.ts";
import { directoryArtifacts } from "./directory.ts";

const BYTES = Buffer.from("ftrt and what else an engine holds");
const DIGEST = digestOf(BYTES);

describe.each([
  ["a directory", openDirectory],
  ["S3", openS3],
  ["an older object store", openOlderS3],
] as const)("artifacts in %s", (_name, open) => {
  let opened: Opened;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());

  test("come back byte for byte under their digest", async () => {
    const { artifacts } = opened;
    expect(await artifacts.put(DIGEST, Readable.from([BYTES]))).toEqual({
      ok: true,
      digest: DIGEST,
      sizeBytes: BYTES.length,
    });
    expect(await artifacts.stat(DIGEST)).toEqual({ sizeBytes: BYTES.length });
    expect(Buffer.from(await artifacts.head(DIGEST, 4)).toString()).toBe("ftrt");
    expect(await fetchAll(artifacts, DIGEST)).toEqual(BYTES);
  });

  test("are listed with size and time, and nothing else is; one that was removed is gone, and may be removed again", async () => {
    const { artifacts } = opened;
    const [half, startMs] = [Buffer.from("half"), Date.now()];
    await artifacts.put(DIGEST, Readable.from([BYTES]));
    await artifacts.put(digestOf(half), Readable.from([half]), { start: 0, totalBytes: 10 });
    expect(await Readable.from(artifacts.list()).toArray()).toEqual([
      { digest: DIGEST, sizeBytes: BYTES.length, modifiedMs: expect.closeTo(startMs, -5) },
    ]);
    for (let time = 0; time < 2; time += 1) await artifacts.remove(DIGEST);
    expect(await artifacts.stat(DIGEST)).toBeUndefined();
    expect(await Readable.from(artifacts.list()).toArray()).toEqual([]);
    expect(await artifacts.put(DIGEST, Readable.from([BYTES]))).toMatchObject({ ok: true });
  });

  test("are not there before they were put", async () => {
    expect(await opened.artifacts.stat(DIGEST)).toBeUndefined();
    expect(await opened.artifacts.locate(DIGEST)).toBeUndefined();
  });

  test("of another digest than was claimed are refused, and nothing becomes visible", async () => {
    const other = Buffer.from("other bytes");
    const result = await opened.artifacts.put(DIGEST, Readable.from([other]));
    expect(result).toEqual({ ok: false, why: "digest-mismatch", actual: digestOf(other), sizeBytes: other.length });
    expect(await opened.artifacts.stat(DIGEST)).toBeUndefined();
    expect(await opened.artifacts.stat(digestOf(other))).toBeUndefined();
  });

  test("larger than the cap are refused", async () => {
    const big = Buffer.alloc(MAX_BYTES + 1);
    expect(await opened.artifacts.put(digestOf(big), Readable.from([big]))).toMatchObject({
      ok: false,
      why: "too-large",
    });
    expect(await opened.artifacts.stat(digestOf(big))).toBeUndefined();
  });
});

test("an upload to a directory resumes where it broke off", async () => {
  const { artifacts, close } = await openDirectory();
  const first = await artifacts.put(DIGEST, Readable.from([BYTES.subarray(0, 10)]), {
    start: 0,
    totalBytes: BYTES.length,
  });
  expect(first).toEqual({ ok: false, why: "incomplete", offset: 10 });
  expect(await artifacts.uploadedBytes(DIGEST)).toBe(10);
  const wrong = await artifacts.put(DIGEST, Readable.from([BYTES.subarray(12)]), {
    start: 12,
    totalBytes: BYTES.length,
  });
  expect(wrong).toEqual({ ok: false, why: "wrong-offset", offset: 10 });
  const rest = await artifacts.put(DIGEST, Readable.from([BYTES.subarray(10)]), {
    start: 10,
    totalBytes: BYTES.length,
  });
  expect(rest).toMatchObject({ ok: true });
  expect(await fetchAll(artifacts, DIGEST)).toEqual(BYTES);
  await close();
});

describe("an object in a bucket", () => {
  test("is adopted by name, hashed by the hub, and served under its digest", async () => {
    const { artifacts, buckets, putObject, close } = await openS3();
    await putObject?.("models", "runs/7/model v2.onnx", BYTES);
    expect(await buckets?.adopt("models", "runs/7/model v2.onnx")).toEqual({
      ok: true,
      digest: DIGEST,
      sizeBytes: BYTES.length,
    });
    expect(await fetchAll(artifacts, DIGEST)).toEqual(BYTES);
    await close();
  });

  test("that is not there, or in a bucket nobody configured, is refused by name", async () => {
    const { buckets, putObject, close } = await openS3();
    await putObject?.("elsewhere", "model.onnx", BYTES);
    expect(await buckets?.adopt("models", "nothing.onnx")).toMatchObject({ ok: false, why: "missing" });
    expect(await buckets?.adopt("elsewhere", "model.onnx")).toMatchObject({ ok: false, why: "bucket-not-configured" });
    await close();
  });
});

test("a directory holds nothing but whole files and what can be resumed", async () => {
  const dir = mkdtempSync(join(tmpdir(), "artifacts-"));
  const artifacts = directoryArtifacts(dir, { maxBytes: MAX_BYTES });
  await artifacts.put(DIGEST, Readable.from([BYTES]));
  await artifacts.put(DIGEST.replace(/^./, "0"), Readable.from([BYTES]));
  expect(new Set(readdirSync(dir, { recursive: true, encoding: "utf8" }))).toEqual(
    new Set([DIGEST.slice(0, 2), join(DIGEST.slice(0, 2), DIGEST), "partial"]),
  );
  rmSync(dir, { recursive: true });
});
