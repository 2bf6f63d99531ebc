// MITM: somebody with a certificate that the agent trusts reads and changes what the hub answers. TLS does not help here; the signatures do.
import { once } from "node:events";
import { beforeEach, expect, test, onTestFinished } from "vitest";
import { fakeModel } from "./testing/fake-model.ts";
import { testAuthority } from "./testing/test-authority.ts";
import { type TestDevice, testDevice } from "./testing/test-device.ts";
import { tlsInterceptor, type TlsInterceptor } from "./testing/tls-interceptor.ts";

const good = fakeModel({ version: "v2.0" });
const better = fakeModel({ version: "v2.1" }, 200_000);

let device: TestDevice;
let between: TlsInterceptor;
beforeEach(async () => {
  device = await testDevice();
  onTestFinished(() => device.close());
  const authority = await testAuthority();
  between = await tlsInterceptor(authority, device.hub.url);
  device.environment["AGENT_HUB_URL"] = between.url;
  device.environment["NODE_EXTRA_CA_CERTS"] = authority.caFile;
  device.hub.offer(good);
  await once(device.spawn("once"), "exit");
});

/** A process of its own: trusted authorities are read when it starts. */
async function onceBetween(path: RegExp, how: (body: Buffer) => Buffer): Promise<void> {
  expect(device.inference.served()).toBe(good.digest);
  const before = between.changed;
  between.change(path, how);
  await once(device.spawn("once"), "exit");
  expect(between.changed, "something was changed on the way").toBeGreaterThan(before);
  expect(device.inference.served()).toBe(good.digest);
  expect(await device.current()).toBe("model-v2.0.onnx");
}

const flipped = (at: (body: Buffer) => number) => (body: Buffer) => {
  const changed = Buffer.from(body);
  changed.writeUInt8(changed.readUInt8(at(body)) ^ 1, at(body));
  return changed;
};
/** One character becomes another of base64's alphabet: what arrives is a good envelope of other content, or with another signature. */
const otherBase64 = (at: (body: Buffer) => number) => (body: Buffer) => {
  const changed = Buffer.from(body);
  changed.write(changed[at(body)] === 0x41 ? "B" : "A", at(body));
  return changed;
};
const inPayload = otherBase64((body) => body.indexOf('"payload":"') + 100);
const inSignature = otherBase64((body) => body.indexOf('"sig":"') + 20);

test.each([
  ["a byte of the manifest's content", /\/manifest$/, inPayload, "SIGNATURE_INVALID"],
  ["a byte of the manifest's signature", /\/manifest$/, inSignature, "SIGNATURE_INVALID"],
  [
    "a byte of the manifest's frame",
    /\/manifest$/,
    flipped((body) => body.indexOf("payloadType")),
    "ENVELOPE_MALFORMED",
  ],
  ["a byte of the manifest's type", /\/manifest$/, flipped((body) => body.indexOf("vnd.")), "PAYLOAD_TYPE_UNKNOWN"],
  ["a byte of the assignment's content", /\/assignment$/, inPayload, "SIGNATURE_INVALID"],
  ["a byte of the assignment's signature", /\/assignment$/, inSignature, "SIGNATURE_INVALID"],
])("MITM: %s is refused with its code, and what runs is not touched", async (_what, path, how, code) => {
  device.hub.hold(null);
  device.hub.offer(better);
  await onceBetween(path, how);
  expect(device.hub.observed.at(-1)?.trouble).toMatchObject({ code });
  expect(device.hub.fetches).toHaveLength(1);
  between.change(null);
  await once(device.spawn("once"), "exit");
  expect(device.inference.served()).toBe(better.digest);
});

test.each([
  ["first", () => 0],
  ["last", (body: Buffer) => body.length - 1],
] as const)(
  "MITM: the %s byte of an artifact is refused by its digest, and what runs is not touched",
  async (_which, at) => {
    device.hub.offer(better);
    await onceBetween(/\/artifacts\//, flipped(at));
    expect(device.hub.outcomes.at(-1)).toMatchObject({ outcome: "rejected", code: "DIGEST_MISMATCH", version: "v2.1" });
    expect(device.hub.outcomes.at(-1)?.evidence).toMatchObject({ expected_digest: better.digest });
    expect(device.hub.outcomes.at(-1)?.evidence.actual_digest).not.toBe(better.digest);
  },
);
