// A hub whose clock was ahead gave orders, then was restored from a backup with its clock set right: a real agent follows a real hub again.
import { execFile } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type FakeModel, fakeModel } from "@context-edge/agent/testing/fake-model.ts";
import { QUICK_POLICY } from "@context-edge/agent/testing/signing.ts";
import { type TestDevice, testDevice } from "@context-edge/agent/testing/test-device.ts";
import { JOIN_TOKEN, openTestHub, type TestHub } from "@context-edge/hub/testing/test-hub.ts";
import { afterEach, beforeEach, expect, test } from "vitest";

const AGENT = fileURLToPath(new URL("../agent/main.ts", import.meta.url));
const run = promisify(execFile);
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const v1 = fakeModel({ version: "v1" });
const v2 = fakeModel({ version: "v2" });
const v3 = fakeModel({ version: "v3" });

let device: TestDevice;
let dir: string;
/** How far the hub's clock is from this machine's, which is the device's. */
let offsetMs: number;
const hubTime = () => Date.now() + offsetMs;
beforeEach(async () => {
  device = await testDevice();
  dir = dirname(device.dir);
  offsetMs = 0;
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileSync(join(dir, "hub.key.pem"), pem);
  const publicPem = createPublicKey(createPrivateKey(pem)).export({ type: "spki", format: "pem" });
  writeFileSync(join(dir, "hub.pem"), publicPem);
  writeFileSync(join(dir, "join"), JOIN_TOKEN);
  device.environment["AGENT_GROUP"] = "pilot";
  device.environment["AGENT_RELEASE_KEYS"] = "";
});
afterEach(() => device.close());

/** Opens a hub and points the device to it. @param name of its release key, which the device trusts too from now on */
async function hubCalled(name: string, env: Record<string, string> = {}): Promise<TestHub> {
  const hub = await openTestHub(
    {
      HUB_SIGNING_KEY_FILE: join(dir, "hub.key.pem"),
      HUB_PROBE_POLICY: JSON.stringify(QUICK_POLICY),
      // Every report is heeded, the same one again too.
      HUB_HEARTBEAT_WRITE_SECONDS: "0",
      ...env,
    },
    hubTime,
  );
  const keyFile = join(dir, `${name}.release.pem`);
  copyFileSync(join(hub.dir, "release.pub.pem"), keyFile);
  const trusted = device.environment["AGENT_RELEASE_KEYS"] ?? "";
  device.environment["AGENT_RELEASE_KEYS"] = [trusted, keyFile].filter(Boolean).join(",");
  device.environment["AGENT_HUB_URL"] = await hub.listen();
  return hub;
}

async function deploy(hub: TestHub, model: FakeModel): Promise<void> {
  const { status } = await hub.register(model.version, { bytes: model.bytes });
  expect(status).toBe(201);
  expect((await hub.call("PUT", "/api/v1/groups/pilot/target", { version: model.version })).status).toBe(200);
}

/** The device follows v2 by numbers that are ahead by so much, of which the hub that now orders v3 knows nothing. */
async function restoredHub(aheadMs: number): Promise<TestHub> {
  const first = await hubCalled("first");
  await first.call("POST", "/api/v1/groups", { name: "pilot" });
  await deploy(first, v1);
  expect(await device.once()).toBe(true);
  const backup = join(dir, "backup.sqlite");
  copyFileSync(join(await first.remains(), "hub.sqlite"), backup);
  const artifacts = join(dir, "backup-artifacts");
  cpSync(join(first.dir, "data", "artifacts"), artifacts, { recursive: true });

  offsetMs = aheadMs;
  await deploy(first, v2);
  await first.call("PATCH", "/api/v1/devices/edge-001", { hold: { hours: 1, reason: "a visit" } });
  await first.call("PATCH", "/api/v1/devices/edge-001", { hold: null });
  expect(await device.once()).toBe(true);
  expect(device.inference.served()).toBe(v2.digest);
  await first.close();

  offsetMs = 0;
  mkdirSync(join(dir, "data"));
  copyFileSync(backup, join(dir, "data", "hub.sqlite"));
  cpSync(artifacts, join(dir, "data", "artifacts"), { recursive: true });
  const restored = await hubCalled("restored", { HUB_DATA: join(dir, "data") });
  await deploy(restored, v3);
  return restored;
}

/** Polls and reports, two minutes apart. @returns after how many of them the device ran v3; null when it never did */
async function roundsUntilFollowed(most: number): Promise<number | null> {
  for (let round = 1; round <= most; round += 1) {
    offsetMs += 2 * MINUTE_MS;
    if ((await device.once()) && device.inference.served() === v3.digest) return round;
  }
  return null;
}
const told = async (hub: TestHub, kind: string) => (await hub.hub.store.events.newest(100, undefined, { kind })).length;

test.each([
  ["24 hours", DAY_MS],
  ["30 days, longer than a manifest lives", 30 * DAY_MS],
  ["nine years", 9 * 365 * DAY_MS],
])(
  "fast-forward by %s: the hub hears of it, goes past the device's numbers once, and is followed",
  async (_what, aheadMs) => {
    const hub = await restoredHub(aheadMs);
    expect(await roundsUntilFollowed(6)).toBeLessThanOrEqual(4);
    expect(await told(hub, "manifest.outrun")).toBe(1);
    expect(await told(hub, "device.reassigned")).toBe(1);
    const { body } = await hub.call("GET", "/api/v1/devices/edge-001");
    expect(body).toMatchObject({ models: { default: { current: { version: "v3" } } } });
    // The hub's clock is some minutes ahead of the device's here, and that is all it still says.
    expect(body["trouble"]).toMatchObject({ code: "CLOCK" });
    // And it stays so: more reports change nothing.
    expect(await roundsUntilFollowed(1)).toBe(1);
    expect(await told(hub, "manifest.outrun")).toBe(1);
    await hub.close();
  },
  60_000,
);

test("fast-forward by fifteen years: the hub says once that it will not go there, and forget on the device helps", async () => {
  const hub = await restoredHub(15 * 365 * DAY_MS);
  expect(await roundsUntilFollowed(4)).toBe(null);
  expect(device.inference.served()).toBe(v2.digest);
  expect(await told(hub, "device.out-of-reach")).toBe(1);
  expect(await told(hub, "manifest.outrun")).toBe(0);
  await run(process.execPath, [AGENT, "forget", "--yes"], { env: { ...process.env, ...device.environment } });
  expect(await roundsUntilFollowed(3)).toBe(1);
  await hub.close();
}, 60_000);
