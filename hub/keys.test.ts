// The hub's signing key: never without it, replaced without losing a device, and a hub restored from a backup is followed again.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Assignment,
  ASSIGNMENT_PAYLOAD_TYPE,
  Manifest,
  MANIFEST_PAYLOAD_TYPE,
  openEnvelope,
  parsePublicKey,
  type PublicKey,
} from "@context-edge/protocol";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { copySqlite } from "./store/sqlite-copy.ts";
import { openSite } from "./testing/hub-process.ts";
import { startPostgres } from "./testing/postgres.ts";
import { openTestHub, type TestDevice, type TestHub, until } from "./testing/test-hub.ts";

const postgres = await startPostgres();
afterAll(() => postgres?.close());
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "hub-keys-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function makeKey(name: string): { file: string; trusted: PublicKey[] } {
  const file = join(dir, `${name}.pem`);
  const { privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }));
  return { file, trusted: [publicKeyOf(file)] };
}
function publicKeyOf(file: string): PublicKey {
  const { x } = createPublicKey(createPrivateKey(readFileSync(file, "utf8"))).export({ format: "jwk" });
  const key = parsePublicKey(Buffer.from(x ?? "", "base64url"));
  if (typeof key === "string") throw new Error(key);
  return key;
}
const get = (hub: TestHub, device: TestDevice, what: "manifest" | "assignment") =>
  hub.app.inject({ method: "GET", url: `/device/v1/${what}`, headers: device.headers });
/** As a device does that knows these keys of the hub. @throws where it would refuse */
async function sequenceFor(hub: TestHub, device: TestDevice, keys: readonly PublicKey[]): Promise<number> {
  const manifest = (await get(hub, device, "manifest")).json<unknown>();
  const opened = openEnvelope(manifest, { payloadType: MANIFEST_PAYLOAD_TYPE, keys, schema: Manifest });
  const paper = (await get(hub, device, "assignment")).json<unknown>();
  const assigned = openEnvelope(paper, { payloadType: ASSIGNMENT_PAYLOAD_TYPE, keys, schema: Assignment });
  if (!opened.ok) throw new Error(opened.problem);
  if (!assigned.ok) throw new Error(assigned.problem);
  return opened.value.sequence;
}

describe("fault 73: without a usable signing key the hub does not start, and says which file it needs", () => {
  test.each([
    ["a file that is no key", (file: string) => writeFileSync(file, "not a key")],
    ["a directory", (file: string) => mkdirSync(file)],
    ["a key of another kind", (file: string) => writeFileSync(file, rsaKey())],
  ])("%s", async (_title, spoil) => {
    const file = join(dir, "hub.key.pem");
    spoil(file);
    const site = openSite({ HUB_SIGNING_KEY_FILE: file });
    await expect(site.start()).rejects.toThrow(new RegExp(`${file} gives no Ed25519 private key`));
    await site.close();
  });

  test("fault 73: a key that was there and is gone is asked for, never replaced by a new one in silence", async () => {
    const site = openSite();
    const file = join(site.dir, "data", "keys", "hub.key.pem");
    const hub = await site.start();
    await hub.call("POST", "/api/v1/groups", { name: "pilot" });
    await hub.kill("SIGTERM");
    rmSync(file);
    await expect(site.start()).rejects.toThrow(/signing key .* is missing.*serves nothing unsigned/);
    await site.close();
  });
});

test("fault 74: a key is replaced while devices know only the old one, or only the new one: both go on", async () => {
  const [old, fresh] = [makeKey("old"), makeKey("new")];
  const env = { HUB_DATA: join(dir, "data") };
  const first = await openTestHub({ ...env, HUB_SIGNING_KEY_FILE: old.file });
  const device = await first.enroll("edge-001", "pilot");
  const before = await sequenceFor(first, device, old.trusted);
  await expect(sequenceFor(first, device, fresh.trusted)).rejects.toThrow("KEY_UNKNOWN");
  await first.close();

  const during = { HUB_SIGNING_KEY_FILE: fresh.file, HUB_PREVIOUS_SIGNING_KEY_FILE: old.file };
  const second = await openTestHub({ ...env, ...during });
  const between = await sequenceFor(second, device, old.trusted);
  expect(between).toBeGreaterThan(before);
  expect(await sequenceFor(second, device, fresh.trusted)).toBe(between);
  await second.register("v1");
  await second.call("PUT", "/api/v1/groups/pilot/target", { version: "v1" });
  expect(await sequenceFor(second, device, old.trusted)).toBeGreaterThan(between);
  const later = await sequenceFor(second, device, fresh.trusted);
  await second.close();

  const third = await openTestHub({ ...env, HUB_SIGNING_KEY_FILE: fresh.file });
  // What both had signed is still good: nothing has to be fetched again.
  expect(await sequenceFor(third, device, fresh.trusted)).toBe(later);
  await third.call("POST", "/mlops/models/v1/rollback", { rollback_to_version: "v1" });
  await third.close();
});

test("fault 74: naming the same key twice by mistake signs once, because devices refuse a doubled key", async () => {
  const { file, trusted } = makeKey("only");
  const hub = await openTestHub({ HUB_SIGNING_KEY_FILE: file, HUB_PREVIOUS_SIGNING_KEY_FILE: file });
  const device = await hub.enroll("edge-001", "pilot");
  expect(await sequenceFor(hub, device, trusted)).toBeGreaterThan(0);
  await hub.close();
});

test.skipIf(postgres === null)(
  "fault 74: replicas of which one is ahead in the rotation agree on the bytes instead of sealing past each other",
  async () => {
    const [old, fresh] = [makeKey("old"), makeKey("new")];
    const DATABASE_URL = (await postgres?.database()) ?? "";
    const behind = await openTestHub({ DATABASE_URL, HUB_SIGNING_KEY_FILE: old.file });
    const device = await behind.enroll("edge-001", "pilot");
    const ahead = await openTestHub({
      DATABASE_URL,
      HUB_SIGNING_KEY_FILE: fresh.file,
      HUB_PREVIOUS_SIGNING_KEY_FILE: old.file,
    });
    const agreed = await until(async () => {
      const bodies = await Promise.all([behind, ahead].map((hub) => get(hub, device, "manifest")));
      return bodies[0]?.body === bodies[1]?.body && bodies[0]?.headers["etag"];
    });
    for (let round = 0; round < 5; round++) {
      await behind.hub.publisher.refresh();
      await ahead.hub.publisher.refresh();
    }
    expect((await get(behind, device, "manifest")).headers["etag"]).toBe(agreed);
    expect(await sequenceFor(behind, device, old.trusted)).toBe(await sequenceFor(ahead, device, fresh.trusted));
    await behind.close();
    await ahead.close();
  },
);

test("fault 72: a hub restored from an old backup issues higher numbers as soon as a device says it follows newer ones (rollback, as CVE-2022-29173 of go-tuf)", async () => {
  const { file, trusted } = makeKey("hub");
  let clockMs = Date.now();
  const now = () => clockMs;
  const first = await openTestHub({ HUB_SIGNING_KEY_FILE: file }, now);
  const device = await first.enroll("edge-001", "pilot");
  await first.register("v1");
  await first.register("v2");
  await first.call("PUT", "/api/v1/groups/pilot/target", { version: "v1" });
  const backup = join(dir, "backup.sqlite");
  await copySqlite(join(first.dir, "data", "hub.sqlite"), backup);
  // What the backup knows nothing of: another target, and a hold, so that manifest and assignment both went on.
  clockMs += 600_000;
  await first.call("PUT", "/api/v1/groups/pilot/target", { version: "v2" });
  await first.call("PATCH", "/api/v1/devices/edge-001", { hold: { hours: 1, reason: "a visit" } });
  const followed = await sequenceFor(first, device, trusted);
  const assigned = Number((await get(first, device, "manifest")).headers["context-edge-assignment"]);
  await first.close();

  mkdirSync(join(dir, "data"));
  copyFileSync(backup, join(dir, "data", "hub.sqlite"));
  clockMs += 600_000;
  const restored = await openTestHub({ HUB_SIGNING_KEY_FILE: file, HUB_DATA: join(dir, "data") }, now);
  expect(await sequenceFor(restored, device, trusted)).toBeLessThan(followed);
  const sayRefused = async (code: string, number: number) => {
    const state = {
      at: new Date(clockMs).toISOString(),
      phase: "idle",
      inventory: { agent_version: "test", arch: "arm64" },
      models: {},
      hold: null,
      telemetry: null,
      trouble: { code, message: "older than what this device follows", next_step: "" },
      manifest_sequence: followed,
      status_url: null,
    };
    const payload = { device: "edge-001", outbox: crypto.randomUUID(), observed: { number, state }, outcomes: [] };
    const { headers } = device;
    const { statusCode } = await restored.app.inject({ method: "POST", url: "/device/v1/reports", headers, payload });
    expect(statusCode).toBe(200);
  };
  await sayRefused("ASSIGNMENT_REPLAYED", 1);
  const newer = Number((await get(restored, device, "manifest")).headers["context-edge-assignment"]);
  expect(newer).toBeGreaterThan(assigned);
  await sayRefused("MANIFEST_REPLAYED", 2);
  const risen = await until(async () => {
    const sequence = await sequenceFor(restored, device, trusted);
    return sequence > followed && sequence;
  });
  const told = (await restored.hub.store.events.newest(10)).map(({ kind }) => kind);
  expect(told).toEqual(expect.arrayContaining(["manifest.outrun", "device.reassigned"]));
  // Whoever goes on crying wolf does not make the whole group fetch it again and again.
  await sayRefused("MANIFEST_REPLAYED", 3);
  await restored.hub.publisher.refresh();
  expect(await sequenceFor(restored, device, trusted)).toBe(risen);
  await restored.close();
});

const rsaKey = () =>
  generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey.export({ type: "pkcs8", format: "pem" });
