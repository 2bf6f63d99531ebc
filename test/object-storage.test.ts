// A real agent, a real hub and an object store: devices fetch from the store itself by presigned addresses, resume there, and outlast its outages.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { copyFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fakeModel } from "@context-edge/agent/testing/fake-model.ts";
import { QUICK_POLICY } from "@context-edge/agent/testing/signing.ts";
import { type TestDevice, testDevice } from "@context-edge/agent/testing/test-device.ts";
import { type FakeS3, startFakeS3 } from "@context-edge/hub/testing/fake-s3.ts";
import { JOIN_TOKEN, openTestHub, type TestHub, until } from "@context-edge/hub/testing/test-hub.ts";
import { afterEach, beforeEach, expect, test } from "vitest";

const v1 = fakeModel({ version: "v1" });
const v2 = fakeModel({ version: "v2" });

let device: TestDevice;
let fake: FakeS3;
let hub: TestHub;
beforeEach(async () => {
  device = await testDevice();
  fake = await startFakeS3({ isOlder: true });
  const dir = dirname(device.dir);
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileSync(join(dir, "hub.key.pem"), pem);
  writeFileSync(join(dir, "hub.pem"), createPublicKey(createPrivateKey(pem)).export({ type: "spki", format: "pem" }));
  writeFileSync(join(dir, "join"), JOIN_TOKEN);
  hub = await openTestHub({
    HUB_SIGNING_KEY_FILE: join(dir, "hub.key.pem"),
    HUB_PROBE_POLICY: JSON.stringify(QUICK_POLICY),
    HUB_HEARTBEAT_WRITE_SECONDS: "0",
    S3_ENDPOINT: fake.endpoint,
    S3_BUCKETS: "models",
    S3_ACCESS_KEY_ID: "key",
    S3_SECRET_ACCESS_KEY: "secret",
  });
  copyFileSync(join(hub.dir, "release.pub.pem"), join(dir, "release.pem"));
  Object.assign(device.environment, {
    AGENT_HUB_URL: await hub.listen(),
    AGENT_RELEASE_KEYS: join(dir, "release.pem"),
    AGENT_GROUP: "pilot",
    AGENT_ARTIFACT_ORIGINS: fake.endpoint,
  });
  await hub.call("POST", "/api/v1/groups", { name: "pilot" });
});
afterEach(async () => {
  await hub.close();
  await fake.close();
  await device.close();
});

async function deploy({ version, bytes }: { version: string; bytes: Buffer }): Promise<void> {
  expect((await hub.register(version, { bytes })).status).toBe(201);
  expect((await hub.call("PUT", "/api/v1/groups/pilot/target", { version })).status).toBe(200);
}
const serves = (digest: string) => until(async () => device.inference.served() === digest, 30_000);
const fetches = () => fake.requests.filter((name) => name.startsWith("GET artifacts/") && !name.endsWith("bytes=0-3"));

test("a download from the store that breaks off is resumed there with Range, and the device runs the file", async () => {
  await deploy(v1);
  const half = Math.floor(v1.bytes.length / 2);
  fake.cutAfter = half;
  const running = await device.start();
  await serves(v1.digest);
  await running.stop();
  expect(fetches()).toEqual([`GET artifacts/${v1.digest}`, `GET artifacts/${v1.digest} bytes=${half}-`]);
}, 60_000);

test("while the store is away a device keeps what it runs and says why; when it is back the device takes the file by itself", async () => {
  await deploy(v1);
  const running = await device.start();
  await serves(v1.digest);
  expect((await hub.register(v2.version, { bytes: v2.bytes })).status).toBe(201);
  fake.outage = 503;
  expect((await hub.call("PUT", "/api/v1/groups/pilot/target", { version: "v2" })).status).toBe(200);
  const seen = () => hub.call("GET", "/api/v1/devices/edge-001").then(({ body }) => body as { trouble?: object });
  await until(async () => JSON.stringify((await seen()).trouble).includes("ARTIFACT_UNAVAILABLE"), 15_000);
  expect(await seen()).toMatchObject({ online: true, models: { default: { current: { version: "v1" } } } });
  expect(device.inference.served()).toBe(v1.digest);
  fake.outage = null;
  // As soon as the hub's Retry-After lets it, which is up to 15 s.
  await serves(v2.digest);
  await running.stop();
}, 60_000);
