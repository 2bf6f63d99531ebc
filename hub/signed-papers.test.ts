// Attacks on what is signed, at the hub's doors: papers of another kind, signatures without a name, clocks set back, and manifests that are kept from their devices.
import {
  type Envelope,
  Manifest,
  MANIFEST_PAYLOAD_TYPE,
  openEnvelope,
  seal,
  signingKeyFromSeed,
  type Statement,
  STATEMENT_PAYLOAD_TYPE,
} from "@context-edge/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestHub, type TestDevice, type TestHub } from "./testing/test-hub.ts";

const HOUR = 3_600_000;
const START = Date.parse("2026-03-01T00:00:00.000Z");

let clock: { ms: number };
let hub: TestHub;
let digest: string;
beforeEach(async () => {
  clock = { ms: START };
  hub = await openTestHub({ HUB_MANIFEST_HOURS: "10" }, () => clock.ms);
  ({ digest } = await hub.register("v1"));
});
afterEach(() => hub.close());

describe("a statement that is handed in", () => {
  const statement = (): Statement => ({
    schema: 1,
    model: "default",
    version: "v9",
    release: 1,
    created_at: "2026-01-01T00:00:00.000Z",
    variants: [{ digest, size_bytes: 8, format: "onnx", platform: {} }],
  });
  const good = () => seal(STATEMENT_PAYLOAD_TYPE, statement(), hub.releaseKey);
  const withId = (envelope: Envelope, keyid: string): Envelope => ({
    ...envelope,
    signatures: envelope.signatures.map(({ sig }) => ({ keyid, sig })),
  });
  const stranger = signingKeyFromSeed(new Uint8Array(32).fill(9));
  const rows: [string, () => Envelope][] = [
    ["has an empty key id (GHSA-g2pf-6v5v-qcc8 of OPA)", () => withId(good(), "")],
    [
      "has a stranger's signature without a key id",
      () => withId(seal(STATEMENT_PAYLOAD_TYPE, statement(), stranger), ""),
    ],
    [
      "is signed as another kind of paper (CVE-2022-35929 of cosign)",
      () => seal(MANIFEST_PAYLOAD_TYPE, statement(), hub.releaseKey),
    ],
    [
      "is signed as another kind and says that it is a statement (CVE-2022-35929 of cosign)",
      () => ({ ...seal(MANIFEST_PAYLOAD_TYPE, statement(), hub.releaseKey), payloadType: STATEMENT_PAYLOAD_TYPE }),
    ],
    ["has no signature", () => ({ ...good(), signatures: [] })],
    ["has one signature twice", () => ({ ...good(), signatures: [...good().signatures, ...good().signatures] })],
    ["is signed by the hub's own key", () => seal(STATEMENT_PAYLOAD_TYPE, statement(), hub.hub.keys.signing)],
  ];
  const register = (envelope: Envelope) =>
    hub.call("POST", "/mlops/models/register", {
      version_id: "v9",
      accuracy: 0.9,
      model_path: `artifact://${digest}`,
      training_samples: 1,
      training_date: "2026-01-01",
      statement: envelope,
    });
  test.each(rows)("and %s is refused, and nothing is registered", async (_what, envelope) => {
    expect((await register(envelope())).body).toMatchObject({ status: 422, code: "STATEMENT_REFUSED" });
    expect((await hub.call("GET", "/api/v1/models/default/versions/v9")).status).toBe(404);
    expect((await register(good())).status, "the same, signed as it should be").toBe(201);
  });
});

describe("a manifest", () => {
  let device: TestDevice;
  beforeEach(async () => {
    device = await hub.enroll("edge-001", "pilot");
    await hub.call("PUT", "/api/v1/groups/pilot/target", { version: "v1" });
  });
  const poll = async (etag?: string) => {
    const headers = { ...device.headers, ...(etag === undefined ? {} : { "if-none-match": etag }) };
    const answer = await hub.app.inject({ url: "/device/v1/manifest", headers });
    const keys = [hub.hub.keys.signing.publicKey];
    const opened =
      answer.statusCode === 200 &&
      openEnvelope(answer.json(), { payloadType: MANIFEST_PAYLOAD_TYPE, keys, schema: Manifest });
    return {
      status: answer.statusCode,
      etag: String(answer.headers["etag"]),
      manifest: opened && opened.ok ? opened.value : null,
    };
  };

  test("that an attacker goes on showing (freeze) is void after its lifetime, and the hub renews it long before though nothing has changed", async () => {
    const first = await poll();
    expect(Date.parse(first.manifest?.expires_at ?? "") - clock.ms).toBe(10 * HOUR);
    clock.ms += 4 * HOUR;
    await hub.hub.publisher.refresh();
    expect((await poll(first.etag)).status, "not yet").toBe(304);
    clock.ms += 2 * HOUR;
    await hub.hub.publisher.refresh();
    const second = await poll(first.etag);
    expect(second.status).toBe(200);
    expect(second.manifest?.sequence).toBeGreaterThan(first.manifest?.sequence ?? Infinity);
    expect(Date.parse(second.manifest?.expires_at ?? "") - clock.ms).toBe(10 * HOUR);
    expect(second.manifest?.models).toEqual(first.manifest?.models);
    // Whoever was kept from it has a paper that says itself when it ends; agents install nothing from it then.
    clock.ms += 4 * HOUR;
    expect(Date.parse(first.manifest?.expires_at ?? "")).toBeLessThanOrEqual(clock.ms);
    expect(Date.parse(second.manifest?.expires_at ?? "")).toBeGreaterThan(clock.ms);
  });

  test("has a higher number than all before it, also after the hub's clock was set back (rollback, as CVE-2022-29173 of go-tuf)", async () => {
    const before = (await poll()).manifest?.sequence ?? Infinity;
    await hub.register("v2");
    clock.ms -= 1_000 * HOUR;
    await hub.call("PUT", "/api/v1/groups/pilot/target", { version: "v2" });
    const after = await poll();
    expect(after.manifest?.models[0]?.target.version).toBe("v2");
    expect(after.manifest?.sequence).toBeGreaterThan(before);
  });
});
