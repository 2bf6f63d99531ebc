// The bucket goes away and comes back: who needs a file is told when to come again, everybody else notices nothing, and nothing is lost.
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOf } from "../testing/artifact-places.ts";
import { type FakeS3, startFakeS3 } from "../testing/fake-s3.ts";
import { openTestHub, type TestHub, until } from "../testing/test-hub.ts";

let fake: FakeS3;
let hub: TestHub;
beforeEach(async () => {
  fake = await startFakeS3({ isOlder: true });
  hub = await openTestHub({
    S3_ENDPOINT: fake.endpoint,
    S3_BUCKETS: "models",
    S3_ACCESS_KEY_ID: "key",
    S3_SECRET_ACCESS_KEY: "secret",
  });
});
afterEach(async () => {
  await hub.close();
  await fake.close();
});

const ready = async () => (await hub.call("GET", "/readyz")).body;
const figure = async () => /ready\{check="artifacts"\} (\d)/.exec((await hub.app.inject("/metrics")).body)?.[1];

test.each([
  ["answers with 503", 503, "the bucket models answers with status 503"],
  ["cuts every connection", 0, "the bucket models cannot be reached: ECONNRESET"],
])("a bucket that %s", async (_what, outage, detail) => {
  const { digest } = await hub.register("v1");
  await hub.register("v2");
  const device = await hub.enroll("edge-001");
  await hub.call("PUT", "/api/v1/groups/default/target", { version: "v1" });
  await device.report("v1", { outcome: "committed" });
  await hub.call("PUT", "/api/v1/groups/default/target", { version: "v2" });

  fake.outage = outage;
  const bytes = Buffer.from("model v3");
  const upload = () =>
    hub.app.inject({
      method: "PUT",
      url: `/mlops/artifacts/${digestOf(bytes)}`,
      headers: { "content-type": "application/octet-stream" },
      payload: bytes,
    });
  const register = () =>
    hub.app.inject({
      method: "POST",
      url: "/mlops/models/register",
      payload: {
        version_id: "v3",
        accuracy: 0.9,
        model_path: `artifact://${digestOf(bytes)}`,
        training_samples: 1,
        training_date: "2026-01-01",
      },
    });
  const fetchFile = () => hub.app.inject({ url: `/device/v1/artifacts/${digest}`, headers: device.headers });
  for (const answer of [await upload(), await register(), await fetchFile()]) {
    expect(answer.json()).toMatchObject({ status: 503, code: "ARTIFACT_UNAVAILABLE" });
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
  }
  // Still 200: a balancer that took this hub away would take the polls with it.
  await until(async () => (await ready())["status"] === "degraded");
  expect(await ready()).toMatchObject({ checks: { artifacts: { ok: false, detail }, database: { ok: true } } });
  expect(await figure()).toBe("0");

  const poll = await hub.app.inject({ url: "/device/v1/manifest", headers: device.headers });
  expect(poll.statusCode).toBe(200);
  await device.report("v2", { outcome: "committed" });
  const rows = async () => (await hub.call("GET", "/api/v1/deployments?version=v2")).body["items"] as object[];
  await until(async () => (await rows()).some((row) => "state" in row && row.state === "finished"));

  fake.outage = null;
  await until(async () => (await ready())["status"] === "ready");
  expect(await figure()).toBe("1");
  expect((await upload()).statusCode).toBe(201);
  expect((await register()).statusCode).toBe(201);
  expect((await fetchFile()).statusCode).toBe(307);
});

test("one that goes away in the middle of an upload: the sender hears of it, and goes on from the parts that are there", async () => {
  const url = await hub.listen();
  const bytes = randomBytes(20 * 2 ** 20);
  const address = `${url}/mlops/artifacts/${digestOf(bytes)}`;
  const headers = { "content-type": "application/octet-stream" };
  fake.before = (name) => {
    if (name.includes("partNumber") && [...fake.uploads.values()].some(({ parts }) => parts.size > 0))
      fake.outage = 503;
  };
  const broken = await fetch(address, { method: "PUT", body: bytes, headers });
  expect([broken.status, await broken.json()]).toMatchObject([503, { code: "ARTIFACT_UNAVAILABLE" }]);
  [fake.outage, fake.before] = [null, () => undefined];
  const head = await fetch(address, { method: "HEAD" });
  const offset = Number(head.headers.get("upload-offset"));
  // Parts that were on their way together may have come or not.
  expect([head.status, offset % (8 * 2 ** 20), offset > 0]).toEqual([404, 0, true]);
  const rest = await fetch(address, {
    method: "PUT",
    body: bytes.subarray(offset),
    headers: { ...headers, "content-range": `bytes ${offset}-${bytes.length - 1}/${bytes.length}` },
  });
  expect(rest.status).toBe(201);
  expect(fake.objects.get(`artifacts/${digestOf(bytes)}`)?.bytes.equals(bytes)).toBe(true);
});
