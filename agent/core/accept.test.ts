// Attacks on the signed documents, each carried out: another key, another group, an older number, two documents of one number.
import { type Envelope, MANIFEST_PAYLOAD_TYPE, seal } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { sealAssignment, sealManifest, sealStatement, testKey } from "../testing/signing.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { acceptAssignment, acceptManifest, type Floor } from "./accept.ts";

const key = testKey();
const stranger = testKey();
const NOW = Date.now();
const floor: Floor = { sequence: 7, fingerprint: "seven" };
const offer = (envelope: unknown, more: Partial<Parameters<typeof acceptManifest>[0]> = {}) => {
  const accepted = acceptManifest({
    envelope,
    fingerprint: "new",
    keys: [key.publicKey],
    floor,
    group: "pilot",
    now: NOW,
    ...more,
  });
  return accepted.ok ? "accepted" : accepted.trouble.code;
};
const good = sealManifest(8, [], key);
const [signature] = good.signatures;

test.each<[string, unknown, string]>([
  ["a newer manifest", good, "accepted"],
  ["the manifest of another group", sealManifest(8, [], key, { group: "line-1" }), "MANIFEST_WRONG_GROUP"],
  ["an older manifest", sealManifest(6, [], key), "MANIFEST_REPLAYED"],
  ["another manifest of the same number", sealManifest(7, [], key), "MANIFEST_EQUIVOCATED"],
  ["an expired manifest", sealManifest(8, [], key, { expires_at: "2020-01-01T00:00:00Z" }), "MANIFEST_EXPIRED"],
  ["a stranger's manifest", sealManifest(8, [], stranger), "KEY_UNKNOWN"],
  [
    "a stranger's manifest under our key id",
    { ...sealManifest(8, [], stranger), signatures: [signature] },
    "SIGNATURE_INVALID",
  ],
  ["a manifest without a signature", { ...good, signatures: [] }, "SIGNATURE_MISSING"],
  ["a signature given twice", { ...good, signatures: [signature, signature] }, "KEY_DUPLICATE"],
  ["an empty key id", { ...good, signatures: [{ ...signature, keyid: "" }] }, "KEY_UNKNOWN"],
  ["an assignment in a manifest's place", sealAssignment(8, "edge-001", "pilot", key), "PAYLOAD_TYPE_UNKNOWN"],
  ["a statement in a manifest's place", sealStatement(fakeModel({ version: "v1" }), key), "PAYLOAD_TYPE_UNKNOWN"],
  ["signed nonsense", seal(MANIFEST_PAYLOAD_TYPE, { group: "pilot" }, key), "PAYLOAD_MALFORMED"],
  ["no envelope at all", "<html>", "ENVELOPE_MALFORMED"],
])("%s is judged by its code", (_what, envelope, result) => {
  expect(offer(envelope)).toBe(result);
});

test("the very same manifest again is accepted", () => {
  expect(offer(sealManifest(7, [], key), { fingerprint: "seven" })).toBe("accepted");
});

test("a device refuses the assignment of another device, and an older one of its own", () => {
  const assigned = (envelope: Envelope) => {
    const accepted = acceptAssignment({
      envelope,
      fingerprint: "new",
      keys: [key.publicKey],
      floor,
      device: "edge-001",
    });
    return accepted.ok ? "accepted" : accepted.trouble.code;
  };
  expect(assigned(sealAssignment(8, "edge-001", "pilot", key))).toBe("accepted");
  expect(assigned(sealAssignment(8, "edge-002", "pilot", key))).toBe("ASSIGNMENT_WRONG_DEVICE");
  expect(assigned(sealAssignment(6, "edge-001", "pilot", key))).toBe("ASSIGNMENT_REPLAYED");
  expect(assigned(sealAssignment(7, "edge-001", "pilot", key))).toBe("ASSIGNMENT_EQUIVOCATED");
});
