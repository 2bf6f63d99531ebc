// Names that mean to be paths (Mender CVE-2026-49009), in documents that both keys really signed: no file is made, read or removed by them.
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { MANIFEST_PAYLOAD_TYPE, seal, STATEMENT_PAYLOAD_TYPE } from "@context-edge/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeModel } from "./testing/fake-model.ts";
import { QUICK_POLICY } from "./testing/signing.ts";
import { type TestDevice, testDevice } from "./testing/test-device.ts";

const good = fakeModel({ version: "v2.0" });
const better = fakeModel({ version: "v2.1" });

let device: TestDevice;
let before: string[];
beforeAll(async () => {
  device = await testDevice();
  device.hub.offer(good);
  await device.once();
  before = await filesAround();
});
afterAll(() => device.close());

/** Everything beside and below the models directory, but the agent's own notes. */
async function filesAround(): Promise<string[]> {
  const names = await readdir(dirname(device.dir), { recursive: true });
  return names.filter((name) => !name.startsWith("models/.agent/")).toSorted();
}

const NAMES: [string, string][] = [
  ["../", "../../escaped"],
  ["../ at the end", "v2.1/.."],
  ["a path", "folder/v2.1"],
  ["an absolute path", "/etc/cron.d/evil"],
  ["dots alone", ".."],
  ["a hidden name", ".agent"],
  ["%2e%2e%2f", "%2e%2e%2fescaped"],
  ["a backslash", "..\\escaped"],
  ["NUL", "v2.1\0.trt"],
  ["a line break", "v2.1\nevil"],
  ["the one dot leader of Unicode", "\u2024\u2024/escaped"],
  ["a full-width slash", "..\uff0fescaped"],
  ["letters that run backwards", "v2\u202e1"],
  ["nothing", ""],
  ["more than a file name may be long", "v".repeat(300)],
];

let sequence = 100;
/** Signed by both keys as it is: no schema stands between the attacker and the wire. */
async function offer(more: {
  version?: unknown;
  model?: unknown;
  variant?: object;
  deployment?: unknown;
}): Promise<void> {
  const { version = "v2.1", model = "default", variant = {}, deployment } = more;
  const { hubKey, releaseKey } = device.hub;
  sequence += 1;
  const variants = [
    { digest: better.digest, size_bytes: better.bytes.length, format: "onnx", platform: {}, ...variant },
  ];
  const at = new Date().toISOString();
  const statement = { schema: 1, model, version, release: 1, created_at: at, variants };
  const target = {
    model,
    deployment_id: deployment ?? `d-${sequence}`,
    share: 1,
    paused: false,
    retry: 0,
    target: { version, statement: seal(STATEMENT_PAYLOAD_TYPE, statement, releaseKey) },
    previous: null,
    policy: QUICK_POLICY,
  };
  const expires_at = new Date(Date.now() + 3_600_000).toISOString();
  const manifest = { schema: 1, group: "pilot", sequence, issued_at: at, expires_at, models: [target] };
  device.hub.publish(seal(MANIFEST_PAYLOAD_TYPE, manifest, hubKey));
  await device.once();
}

async function expectUntouched(): Promise<void> {
  expect(await filesAround()).toEqual(before);
  expect(device.hub.fetches).toHaveLength(1);
  expect(await device.current()).toBe("model-v2.0.onnx");
  expect(device.inference.served()).toBe(good.digest);
}

test.each(NAMES)(
  "Mender CVE-2026-49009: %s as a version is refused with the whole manifest",
  async (_what, version) => {
    await offer({ version });
    expect(device.hub.observed.at(-1)?.trouble?.code).toBe("PAYLOAD_MALFORMED");
    await expectUntouched();
  },
);

test.each(NAMES)("Mender CVE-2026-49009: %s as a model is refused with the whole manifest", async (_what, model) => {
  await offer({ model });
  expect(device.hub.observed.at(-1)?.trouble?.code).toBe("PAYLOAD_MALFORMED");
  await expectUntouched();
});

test.each(NAMES)(
  "Mender CVE-2026-49009: %s as a file's ending ends the attempt before anything is fetched",
  async (_what, format) => {
    await offer({ variant: { format } });
    expect(device.hub.outcomes.at(-1)).toMatchObject({
      outcome: "rejected",
      code: "PAYLOAD_MALFORMED",
      version: "v2.1",
    });
    await expectUntouched();
  },
);

test.each(NAMES)(
  "Mender CVE-2026-49009: %s as a digest ends the attempt before anything is fetched",
  async (_what, digest) => {
    await offer({ variant: { digest } });
    expect(device.hub.outcomes.at(-1)).toMatchObject({
      outcome: "rejected",
      code: "PAYLOAD_MALFORMED",
      version: "v2.1",
    });
    await expectUntouched();
  },
);

test("the same documents with honest names are followed", async () => {
  device.hub.replaceArtifact(better, better.bytes);
  await offer({});
  expect(await device.current()).toBe("model-v2.1.onnx");
});
