// Several uploads of one file: at once, stalled and gone on with, resumed and killed. What was acknowledged stays as it is.
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf, fetchAll, openDirectory, openS3, type Opened } from "../testing/artifact-places.ts";
import { openSite } from "../testing/hub-process.ts";
import { openTestHub, until } from "../testing/test-hub.ts";
import { directoryArtifacts } from "./directory.ts";

const BYTES = Buffer.from("ftrt and what else an engine holds, in a few more words");
const DIGEST = digestOf(BYTES);
const WHOLE = { start: 0, totalBytes: BYTES.length };
const GARBAGE = Buffer.alloc(BYTES.length, "x");
const from = (start: number) => ({ start, totalBytes: BYTES.length });

describe("uploads of one file to a directory", () => {
  let opened: Opened;
  beforeEach(async () => {
    opened = await openDirectory();
  });
  afterEach(() => opened.close());
  const partials = () =>
    readdirSync(opened.dir, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".part"));

  /** One that has sent its first ten bytes and then says nothing. */
  async function stalled() {
    const body = new PassThrough();
    const result = opened.artifacts.put(DIGEST, body, WHOLE);
    body.write(BYTES.subarray(0, 10));
    await until(async () => partials().some((name) => statSync(join(opened.dir, name)).size === 10));
    return { body, result };
  }

  test("one that stalls and continues changes nothing of what another has published meanwhile", async () => {
    const { artifacts } = opened;
    const slow = await stalled();
    expect(await artifacts.put(DIGEST, Readable.from([BYTES]))).toMatchObject({ ok: true });
    slow.body.end(GARBAGE.subarray(10));
    expect(await slow.result).toMatchObject({ ok: false, why: "digest-mismatch" });
    expect(await fetchAll(artifacts, DIGEST)).toEqual(BYTES);
    expect(partials()).toEqual([]);
  });

  test("one that is resumed while its first connection still hangs is whole, whatever that one sends later", async () => {
    const { artifacts } = opened;
    const hanging = await stalled();
    expect(await artifacts.put(DIGEST, Readable.from([BYTES.subarray(10)]), from(10))).toMatchObject({ ok: true });
    hanging.body.end(GARBAGE.subarray(10));
    expect(await hanging.result).toMatchObject({ ok: false, why: "digest-mismatch" });
    expect(await fetchAll(artifacts, DIGEST)).toEqual(BYTES);
    expect(partials()).toEqual([]);
  });

  test("two that go on from the same broken one do not write into each other", async () => {
    const { artifacts } = opened;
    await artifacts.put(DIGEST, Readable.from([BYTES.subarray(0, 10)]), WHOLE);
    const [good, bad] = [new PassThrough(), new PassThrough()];
    const results = [artifacts.put(DIGEST, bad, from(10)), artifacts.put(DIGEST, good, from(10))];
    for (let at = 10; at < BYTES.length; at += 5) {
      good.write(BYTES.subarray(at, at + 5));
      bad.write(GARBAGE.subarray(at, at + 5));
      await new Promise((resolve) => setImmediate(resolve));
    }
    good.end();
    bad.end();
    expect(await Promise.all(results)).toMatchObject([{ why: "digest-mismatch" }, { ok: true }]);
    expect(await fetchAll(artifacts, DIGEST)).toEqual(BYTES);
  });

  test("twenty at once, half of them wrong, half of those that are right broken off and resumed, leave one whole file", async () => {
    const { artifacts } = opened;
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const bytes = index % 2 === 0 ? BYTES : GARBAGE;
        const cut = index % 4 === 0 ? 20 : bytes.length;
        const sent = await artifacts.put(
          DIGEST,
          Readable.from([bytes.subarray(0, 10), bytes.subarray(10, cut)]),
          WHOLE,
        );
        if (cut === bytes.length) return sent;
        return artifacts.put(DIGEST, Readable.from([bytes.subarray(20)]), from(20));
      }),
    );
    for (const [index, result] of results.entries()) {
      // A part to go on from may be gone, because the file is there by now; never is a wrong one taken.
      const expected =
        index % 4 === 0 ? /true|wrong-offset|digest-mismatch/ : index % 2 === 0 ? /true/ : /digest-mismatch/;
      expect(String(result.ok || result.why), `upload ${index}`).toMatch(expected);
    }
    expect(await fetchAll(artifacts, DIGEST)).toEqual(BYTES);
    expect(partials()).toEqual([]);
  });

  test("what a killed hub left may still be open elsewhere: it is copied, and wrong bytes of it are not offered again", async () => {
    const { artifacts, dir } = opened;
    await artifacts.put(DIGEST, Readable.from([BYTES.subarray(0, 10)]), WHOLE);
    const [left = ""] = partials();
    const next = directoryArtifacts(dir, { maxBytes: 1_000 });
    expect(await next.uploadedBytes(DIGEST)).toBe(10);
    writeFileSync(join(dir, left), "rotten ...");
    expect(await next.put(DIGEST, Readable.from([BYTES.subarray(10)]), from(10))).toMatchObject({
      why: "digest-mismatch",
    });
    expect([await next.uploadedBytes(DIGEST), partials()]).toEqual([0, []]);
    expect(await next.put(DIGEST, Readable.from([BYTES]))).toMatchObject({ ok: true });
  });

  test("one that lost its part to another hub on the same disk finds the file published", async () => {
    const { artifacts, dir } = opened;
    const slow = await stalled();
    const other = directoryArtifacts(dir, { maxBytes: 1_000 });
    expect(await other.put(DIGEST, Readable.from([BYTES.subarray(10)]), from(10))).toMatchObject({ ok: true });
    expect(partials()).toEqual([]);
    slow.body.end(BYTES.subarray(10));
    expect(await slow.result).toMatchObject({ ok: true, sizeBytes: BYTES.length });
    expect(await fetchAll(artifacts, DIGEST)).toEqual(BYTES);
  });

  test("of several broken ones the longest is kept; left alone for long it goes, unless it is being written", async () => {
    const { artifacts, dir } = opened;
    for (const length of [5, 20, 12]) await artifacts.put(DIGEST, Readable.from([BYTES.subarray(0, length)]), WHOLE);
    expect([await artifacts.uploadedBytes(DIGEST), partials().length]).toEqual([20, 1]);
    const slow = await stalled();
    const age = (name: string) => utimesSync(join(dir, name), new Date(0), new Date(0));
    expect(await artifacts.discardUploads(Date.now() - 60_000)).toBe(0);
    for (const name of partials()) age(name);
    expect(await artifacts.discardUploads(Date.now() - 60_000)).toBe(1);
    slow.body.end(BYTES.subarray(10));
    expect(await slow.result).toMatchObject({ ok: true });
  });
});

test("an upload that a hub was killed upon goes on at the next hub, and the file is whole", async () => {
  const site = openSite();
  const hub = await site.start();
  const bytes = Buffer.alloc(400_000, "engine");
  const digest = digestOf(bytes);
  const path = `/mlops/artifacts/${digest}`;
  const head = `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  const socket = connect(Number(new URL(hub.url).port), "127.0.0.1").on("error", () => undefined);
  socket.write(head);
  socket.write(bytes.subarray(0, 150_000));
  const offset = async (of: typeof hub) => Number((await of.call("HEAD", path)).headers.get("upload-offset"));
  await until(async () => (await offset(hub)) > 0);
  await hub.kill("SIGKILL");
  const next = await site.start();
  const start = await offset(next);
  expect(start).toBeGreaterThan(0);
  const range = { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
  expect((await next.call("PUT", path, bytes.subarray(start), range)).status).toBe(201);
  const artifacts = join(site.env["HUB_DATA"] ?? "", "artifacts");
  expect(readFileSync(join(artifacts, digest.slice(0, 2), digest)).equals(bytes)).toBe(true);
  expect(readdirSync(join(artifacts, "partial"))).toEqual([]);
  await site.close();
});

test("an upload that nobody went on with for a day is cleared away by the janitor, and a younger one is not", async () => {
  let aheadMs = 0;
  const hub = await openTestHub({}, () => Date.now() + aheadMs);
  const url = `/mlops/artifacts/${DIGEST}`;
  const headers = { "content-type": "application/octet-stream", "content-range": `bytes 0-9/${BYTES.length}` };
  const sent = await hub.app.inject({ method: "PUT", url, headers, payload: BYTES.subarray(0, 10) });
  expect(sent.json()).toMatchObject({ code: "CONFLICT", context: { offset: 10 } });
  const offset = async () => (await hub.app.inject({ method: "HEAD", url })).headers["upload-offset"];
  await hub.hub.janitor.round();
  expect(await offset()).toBe("10");
  aheadMs = 25 * 3_600_000;
  await hub.hub.janitor.round();
  expect(await offset()).toBe("0");
  await hub.close();
});

describe("uploads of one file to a bucket", () => {
  let opened: Opened;
  beforeEach(async () => {
    opened = await openS3();
  });
  afterEach(() => opened.close());

  test("that break off end at once and begin again", async () => {
    const { artifacts } = opened;
    const body = new PassThrough();
    const result = artifacts.put(DIGEST, body);
    body.write(BYTES.subarray(0, 10));
    body.destroy(Object.assign(new Error("aborted"), { code: "ECONNRESET" }));
    expect(await result).toEqual({ ok: false, why: "incomplete", offset: 0 });
    expect(await artifacts.put(DIGEST, Readable.from([BYTES.subarray(0, 10)]), WHOLE)).toMatchObject({
      why: "incomplete",
    });
    expect(await artifacts.stat(DIGEST)).toBeUndefined();
  });

  test("are cleared away when a hub was killed upon them, and nothing else in the bucket is", async () => {
    const { artifacts, client, putObject } = opened;
    const left = `uploads/${DIGEST}/${crypto.randomUUID()}`;
    const older = `uploads/${DIGEST}/parts`;
    for (const key of [left, older, "uploads/by-hand.onnx", `uploads/${DIGEST}`])
      await putObject?.("models", key, BYTES);
    expect(await artifacts.discardUploads(Date.now() - 60_000)).toBe(0);
    expect(await artifacts.discardUploads(Date.now() + 60_000)).toBe(2);
    const read = (Key: string) => client?.send(new GetObjectCommand({ Bucket: "models", Key }));
    await expect(read(left)).rejects.toMatchObject({ name: "NoSuchKey" });
    expect(await read("uploads/by-hand.onnx")).toMatchObject({ ContentLength: BYTES.length });
  });
});
