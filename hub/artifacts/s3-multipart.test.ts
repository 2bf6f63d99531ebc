// Uploads of several parts to an object store that has the rules of real ones: resumed by any hub, at once, broken, outrun and cleared away.
import { randomBytes } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf, fetchAll, openFakeS3, type OpenedFake } from "../testing/artifact-places.ts";
import { until } from "../testing/test-hub.ts";

const PART = 5 * 2 ** 20;
const BYTES = randomBytes(2.5 * PART);
const DIGEST = digestOf(BYTES);
const GARBAGE = Buffer.alloc(BYTES.length, "x");
const from = (start: number) => ({ start, totalBytes: BYTES.length });
/** In chunks as a socket brings them. */
const stream = (bytes: Buffer, start = 0, end = bytes.length) =>
  Readable.from(
    (function* () {
      for (let at = start; at < end; at += 65_536) yield bytes.subarray(at, Math.min(at + 65_536, end));
    })(),
  );

let opened: OpenedFake;
let nowMs = 0;
beforeEach(async () => {
  nowMs = 0;
  opened = await openFakeS3({ maxBytes: 4 * PART, partBytes: PART, nowMs: () => nowMs });
});
afterEach(() => opened.close());

const left = () => [opened.fake.uploads.size, [...opened.fake.objects.keys()]];
const WHOLE_ALONE = [0, [`artifacts/${DIGEST}`]];
const NOTHING = [0, []];
/** One that breaks off two fifths into its second part. */
const breakOff = () => opened.artifacts.put(DIGEST, stream(BYTES, 0, 1.4 * PART), from(0));

test("a file goes in parts, and is copied to its name in pieces when it is large", async () => {
  const { artifacts } = opened.other({ copyBytes: PART + 1 });
  expect(await artifacts.put(DIGEST, stream(BYTES))).toEqual({ ok: true, digest: DIGEST, sizeBytes: BYTES.length });
  expect(opened.fake.requests.filter((name) => name.includes("partNumber"))).toHaveLength(3 + 3);
  expect((await fetchAll(artifacts, DIGEST))?.equals(BYTES)).toBe(true);
  expect(left()).toEqual(WHOLE_ALONE);
});

test("one that breaks off keeps its whole parts, and another hub goes on from just there", async () => {
  expect(await breakOff()).toEqual({ ok: false, why: "incomplete", offset: PART });
  const { artifacts } = opened.other();
  expect(await artifacts.uploadedBytes(DIGEST)).toBe(PART);
  const wrong = await artifacts.put(DIGEST, stream(BYTES, 1.4 * PART), from(1.4 * PART));
  expect(wrong).toEqual({ ok: false, why: "wrong-offset", offset: PART });
  expect(await artifacts.put(DIGEST, stream(BYTES, PART), from(PART))).toMatchObject({ ok: true });
  expect((await fetchAll(artifacts, DIGEST))?.equals(BYTES)).toBe(true);
  expect(left()).toEqual(WHOLE_ALONE);
});

test("wrong bytes are never visible, be it a new upload or one that was gone on with", async () => {
  const { artifacts, fake } = opened;
  expect(await artifacts.put(DIGEST, stream(GARBAGE))).toMatchObject({ why: "digest-mismatch" });
  expect(left()).toEqual(NOTHING);
  await breakOff();
  const seen: string[] = [];
  fake.before = () => void seen.push(...fake.objects.keys());
  expect(await artifacts.put(DIGEST, stream(GARBAGE, PART), from(PART))).toMatchObject({ why: "digest-mismatch" });
  expect(seen).not.toContain(`artifacts/${DIGEST}`);
  expect(left()).toEqual(NOTHING);
});

test("one that is larger than the cap leaves nothing", async () => {
  const big = Buffer.alloc(4 * PART + 1);
  expect(await opened.artifacts.put(digestOf(big), stream(big))).toMatchObject({ why: "too-large" });
  expect(left()).toEqual(NOTHING);
});

describe("of two uploads at once", () => {
  test("the one that comes when the other is put together and not copied yet finishes that, whatever it sends itself", async () => {
    const { artifacts, fake } = opened;
    let other: ReturnType<typeof artifacts.put> | undefined;
    fake.before = async (name) => {
      if (!name.startsWith("PUT artifacts/") || other) return;
      other = opened.other().artifacts.put(DIGEST, stream(GARBAGE, PART), from(PART));
      await other;
    };
    expect(await artifacts.put(DIGEST, stream(BYTES))).toMatchObject({ ok: true });
    expect(await other).toMatchObject({ ok: true });
    expect((await fetchAll(artifacts, DIGEST))?.equals(BYTES)).toBe(true);
    expect(left()).toEqual(WHOLE_ALONE);
  });

  test("none is copied that has been replaced since it was looked at", async () => {
    const { artifacts, fake } = opened;
    const replaced = { bytes: GARBAGE, etag: '"another"', modified: new Date() };
    fake.before = (name) => {
      if (name.startsWith("PUT artifacts/")) fake.objects.set(`uploads/${DIGEST}/parts`, replaced);
    };
    expect(await artifacts.put(DIGEST, stream(BYTES))).toMatchObject({ ok: false, why: "incomplete" });
    expect(left()).toEqual(NOTHING);
  });

  test("that go on with the same parts at two hubs, none is published with the other's bytes", async () => {
    await breakOff();
    const two = [
      opened.artifacts.put(DIGEST, stream(BYTES, PART), from(PART)),
      opened.other().artifacts.put(DIGEST, stream(GARBAGE, PART), from(PART)),
    ];
    const results = await Promise.all(two);
    expect(results[1]).toMatchObject({ ok: false });
    const file = opened.fake.objects.get(`artifacts/${DIGEST}`)?.bytes;
    expect(file?.equals(BYTES) ?? !results[0]?.ok).toBe(true);
    expect(left()[0]).toBe(0);
  });

  test("the one whose connection hangs loses its parts to the next, and nothing that it sends later counts", async () => {
    const { artifacts, fake } = opened;
    const hanging = new PassThrough();
    const result = artifacts.put(DIGEST, hanging, from(0));
    hanging.write(BYTES.subarray(0, PART));
    await until(async () => [...fake.uploads.values()].some(({ parts }) => parts.size === 1));
    expect(await artifacts.uploadedBytes(DIGEST), "it is alive").toBe(0);
    nowMs = 10_000;
    expect(await artifacts.uploadedBytes(DIGEST)).toBe(PART);
    const next = new PassThrough();
    const second = artifacts.put(DIGEST, next, from(PART));
    next.write(BYTES.subarray(PART, 2 * PART));
    await until(async () => [...fake.uploads.values()].some(({ parts }) => parts.size === 2));
    hanging.end(GARBAGE.subarray(0, PART));
    expect(await result).toMatchObject({ why: "incomplete" });
    next.end(BYTES.subarray(2 * PART));
    expect(await second).toMatchObject({ ok: true });
    expect((await fetchAll(artifacts, DIGEST))?.equals(BYTES)).toBe(true);
  });
});

test("an answer that was lost after the parts were put together does no harm", async () => {
  const { artifacts, client } = opened.other();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context["commandName"] === "CompleteMultipartUploadCommand") await next(args);
      return next(args);
    },
    { step: "finalizeRequest", priority: "low" },
  );
  expect(await artifacts.put(DIGEST, stream(BYTES))).toMatchObject({ ok: true });
  expect(left()).toEqual(WHOLE_ALONE);
});

test.each([
  ["put together", "POST", 0],
  ["looked at and copied", "PUT artifacts/", 1],
])(
  "parts that have all come when the store fails before they are %s are not sent again",
  async (_what, at, assembled) => {
    const { artifacts, fake } = opened;
    let isAsked = false;
    fake.before = (name) => {
      // The first POST begins the upload.
      const isIt = name.startsWith(at) && (at !== "POST" || name.includes("uploadId"));
      if (isIt && !isAsked) [isAsked, fake.outage] = [true, 503];
    };
    // Deleting fails as well then, as it does when a hub is killed.
    await expect(artifacts.put(DIGEST, stream(BYTES))).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });
    [fake.outage, fake.before] = [null, () => undefined];
    expect(left()).toEqual(assembled === 1 ? [0, [`uploads/${DIGEST}/parts`]] : [1, []]);
    const next = opened.other().artifacts;
    expect(await next.uploadedBytes(DIGEST)).toBe(BYTES.length);
    const last = BYTES.length - 1;
    expect(await next.put(DIGEST, stream(BYTES, last), from(last))).toMatchObject({
      ok: true,
      sizeBytes: BYTES.length,
    });
    expect((await fetchAll(next, DIGEST))?.equals(BYTES)).toBe(true);
    expect(left()).toEqual(WHOLE_ALONE);
  },
);

test("a store that fails on the way keeps what it has; the upload goes on when it is back", async () => {
  const { artifacts, fake } = opened;
  fake.before = (name) => {
    if (name.includes("partNumber") && [...fake.uploads.values()].some(({ parts }) => parts.size === 1))
      fake.outage = 503;
  };
  const body = new PassThrough();
  const result = artifacts.put(DIGEST, body, from(0));
  body.write(BYTES.subarray(0, PART));
  await until(async () => [...fake.uploads.values()].some(({ parts }) => parts.size === 1));
  body.end(BYTES.subarray(PART));
  await expect(result).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });
  [fake.outage, fake.before] = [null, () => undefined];
  expect(await artifacts.uploadedBytes(DIGEST)).toBe(PART);
  expect(await artifacts.put(DIGEST, stream(BYTES, PART), from(PART))).toMatchObject({ ok: true });
});

test("halves that nobody went on with are aborted, copies too; younger ones and what others have in the bucket stay", async () => {
  const { artifacts, fake } = opened;
  await breakOff();
  const upload = (key: string) => ({ key, initiated: new Date(), parts: new Map() });
  fake.uploads.set("copy", upload(`artifacts/${DIGEST}`));
  fake.uploads.set("theirs", upload("uploads/by-hand.onnx"));
  expect(await artifacts.discardUploads(Date.now() - 60_000)).toBe(0);
  expect(await artifacts.discardUploads(Date.now() + 60_000)).toBe(2);
  expect([...fake.uploads.keys()]).toEqual(["theirs"]);
});

test("a bucket that is there can be reached, one that is not cannot, though it answers like an object that is missing", async () => {
  await opened.artifacts.reach();
  opened.fake.outage = 404;
  await expect(opened.artifacts.reach()).rejects.toThrow(
    "the bucket models answers with status 404: there is no such bucket",
  );
});

describe("checksums", () => {
  test("that newer SDKs add by themselves are refused by an older store, and are only sent when asked for", async () => {
    await opened.close();
    opened = await openFakeS3({ maxBytes: 4 * PART, partBytes: PART }, { isOlder: true });
    expect(await opened.artifacts.put(DIGEST, stream(BYTES))).toMatchObject({ ok: true });
    const { artifacts } = opened.other({}, "when-supported");
    await artifacts.remove(DIGEST);
    await expect(artifacts.put(DIGEST, stream(BYTES))).rejects.toMatchObject({ name: "NotImplemented" });
  });

  test("are not needed for a part to arrive as it was sent: its sha256 is signed", async () => {
    const signed: unknown[] = [];
    const { artifacts, client } = opened.other();
    client.middlewareStack.add(
      (next, context) => async (args) => {
        if (context["commandName"] === "UploadPartCommand")
          signed.push((args.request as { headers: Record<string, string> }).headers["x-amz-content-sha256"]);
        return next(args);
      },
      { step: "finalizeRequest", priority: "low" },
    );
    await artifacts.put(DIGEST, stream(BYTES));
    expect(new Set(signed)).toEqual(
      new Set([0, 1, 2].map((index) => digestOf(BYTES.subarray(index * PART, (index + 1) * PART)))),
    );
  });

  test("are sent with each part to a store that supports them, and named when the parts are put together", async () => {
    const { artifacts, client } = opened.other({}, "when-supported");
    const sent: object[] = [];
    client.middlewareStack.add(
      (next, context) => async (args) => {
        if (context["commandName"] === "UploadPartCommand") sent.push((args.request as { headers: object }).headers);
        return next(args);
      },
      { step: "finalizeRequest", priority: "low" },
    );
    expect(await artifacts.put(DIGEST, stream(BYTES))).toMatchObject({ ok: true });
    expect(sent).toHaveLength(3);
    for (const headers of sent) expect(headers).toMatchObject({ "x-amz-checksum-crc32": expect.any(String) });
  });
});
