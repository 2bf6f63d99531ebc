// `hub artifacts gc`: lists what would go, and removes it beside a running hub, which hears of it.
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOf } from "../testing/artifact-places.ts";
import { runHere } from "../testing/command-line.ts";
import { startFakeS3 } from "../testing/fake-s3.ts";
import { openTestHub, type TestHub } from "../testing/test-hub.ts";
import { artifacts } from "./artifacts.ts";

let hub: TestHub;
beforeEach(async () => {
  hub = await openTestHub();
});
afterEach(() => hub.close());

const STRAY = Buffer.from("uploaded and forgotten");
const gc = (...words: string[]) => runHere(artifacts, hub.hub.config, ["gc", ...words]);

test("what nothing refers to is listed with its size by a dry run, and removed without it", async () => {
  const { digest: kept } = await hub.register("v1");
  const stray = digestOf(STRAY);
  const url = `/mlops/artifacts/${stray}`;
  // By a clock of long ago: what was uploaded lately stays.
  await hub.hub.artifacts.put(stray, Readable.from([STRAY]));
  for (const digest of [stray, kept])
    utimesSync(join(hub.hub.config.dataDir, "artifacts", digest.slice(0, 2), digest), new Date(0), new Date(0));

  const listed = await gc("--dry-run");
  expect(listed).toMatchObject({ code: 0, err: "" });
  expect(listed.out.split("\n")).toEqual([`${stray}  0.0 MB  never registered`, "One file would be removed, 0.0 MB."]);
  expect((await hub.app.inject({ method: "HEAD", url })).statusCode).toBe(200);

  const removed = await gc();
  expect(removed.out).toContain("One file removed");
  expect((await hub.app.inject({ method: "HEAD", url })).statusCode).toBe(404);
  expect((await hub.app.inject({ method: "HEAD", url: `/mlops/artifacts/${kept}` })).statusCode).toBe(200);
  const { body } = await hub.call("GET", "/api/v1/audit?kind=artifacts");
  expect(body["items"]).toMatchObject([{ subject: stray, actor: expect.stringMatching(/^command line/) }]);
  expect((await gc()).out).toBe("0 files removed, 0.0 MB.");
});

test("while the bucket is away it says so, and nothing is changed", async () => {
  const fake = await startFakeS3();
  const s3 = { endpoint: fake.endpoint, region: "us-east-1", buckets: ["models"], forcePathStyle: true } as const;
  const credentials = { accessKeyId: "key", secretAccessKey: "secret" };
  const config = { ...hub.hub.config, s3: { ...s3, credentials, checksums: "when-required" as const } };
  fake.outage = 503;
  expect(await runHere(artifacts, config, ["gc"])).toEqual({
    code: 1,
    out: "",
    err: "Nothing was changed: the bucket models answers with status 503. Try again.",
  });
  await fake.close();
});

test("where files are kept for ever it says so, and wrong words say what is right", async () => {
  const config = { ...hub.hub.config, keep: { ...hub.hub.config.keep, unusedDays: 0 } };
  expect(await runHere(artifacts, config, ["gc"])).toMatchObject({ code: 2, err: expect.stringContaining("UNUSED") });
  for (const words of [[], ["gc", "now"], ["gc", "--dry"], ["go"]])
    expect((await runHere(artifacts, hub.hub.config, words)).code).toBe(2);
});
