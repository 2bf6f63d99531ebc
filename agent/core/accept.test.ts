// Attacks on the signed documents, each carried out: another key, another group, an older number, two documents of one number, a number too high.
import { type Envelope, MANIFEST_PAYLOAD_TYPE, seal } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { sealAssignment, sealManifest, sealStatement, testKey } from "../testing/signing.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { acceptAssignment, acceptManifest, FAR_AHEAD_MS, type Floor } from "./accept.ts";

const key = testKey();
const stranger = testKey();
const NOW = Date.now();
const floor: Floor = { sequence: 7, fingerprint: "seven", issuedAt: NOW - 60_000 };
const offer = (envelope: unknown, more: Partial<Parameters<typeof acceptManifest>[0]> = {}) => {
  const accepted = acceptManifest({
    envelope,
    fingerprint: "new",
    keys: [key.publicKey],
    floor,
    group: "pilot",
    now: NOW,
    ownTime: NOW,
    ...more,
  });
  return accepted.ok ? "accepted" : accepted.trouble.code;
};
const good = sealManifest(8, [], key);
const [signature] = good.signatures;

test.each<[string, unknown, string]>([
  ["a newer manifest", good, "accepted"],
  ["the manifest of another group", sealManifest(8, [], key, { group: "line-1" }), "MANIFEST_WRONG_GROUP"],
  ["an older manifest (rollback: go-tuf CVE-2022-29173)", sealManifest(6, [], key), "MANIFEST_REPLAYED"],
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
  ["an empty key id (OPA GHSA-g2pf-6v5v-qcc8)", { ...good, signatures: [{ ...signature, keyid: "" }] }, "KEY_UNKNOWN"],
  [
    "an assignment in a manifest's place (type confusion: cosign CVE-2022-35929)",
    sealAssignment(8, "edge-001", "pilot", key),
    "PAYLOAD_TYPE_UNKNOWN",
  ],
  ["a statement in a manifest's place", sealStatement(fakeModel({ version: "v1" }), key), "PAYLOAD_TYPE_UNKNOWN"],
  ["signed nonsense", seal(MANIFEST_PAYLOAD_TYPE, { group: "pilot" }, key), "PAYLOAD_MALFORMED"],
  ["no envelope at all", "<html>", "ENVELOPE_MALFORMED"],
])("%s is judged by its code", (_what, envelope, result) => {
  expect(offer(envelope)).toBe(result);
});

const YEAR_MS = 365 * 24 * 3_600_000;
const dated = (at: number, sequence = at) => sealManifest(sequence, [], key, { issued_at: new Date(at).toISOString() });
test.each<[string, Envelope, string]>([
  ["fast-forward: the last number there is", sealManifest(Number.MAX_SAFE_INTEGER, [], key), "MANIFEST_FAR_AHEAD"],
  ["fast-forward: a number decades ahead", sealManifest(NOW + FAR_AHEAD_MS + 1, [], key), "MANIFEST_FAR_AHEAD"],
  [
    "fast-forward: a date decades ahead, under an ordinary number",
    dated(NOW + FAR_AHEAD_MS + 1, 8),
    "MANIFEST_FAR_AHEAD",
  ],
  ["a number a day ahead, of a hub whose clock is", dated(NOW + YEAR_MS / 365), "accepted"],
  ["a number ten years ahead, which a hub can still go past", sealManifest(NOW + 10 * YEAR_MS, [], key), "accepted"],
])("%s is judged by its code", (_what, envelope, result) => {
  expect(offer(envelope)).toBe(result);
});

test("how far ahead a number is, is judged by the device's own time and not by what documents taught it", () => {
  const taught = NOW + 50 * YEAR_MS;
  const sealed = sealManifest(taught, [], key, { expires_at: new Date(taught + YEAR_MS).toISOString() });
  expect(offer(sealed, { now: taught, ownTime: NOW })).toBe("MANIFEST_FAR_AHEAD");
});

test("a later manifest that is dated earlier is judged by the device's own time: the hub's clock was set right", () => {
  const wrong: Floor = { sequence: 7, fingerprint: "seven", issuedAt: NOW + YEAR_MS };
  expect(offer(good, { floor: wrong, now: NOW + YEAR_MS })).toBe("accepted");
  const expired = sealManifest(8, [], key, { expires_at: new Date(NOW - 1).toISOString() });
  expect(offer(expired, { floor: wrong, now: NOW + YEAR_MS })).toBe("MANIFEST_EXPIRED");
  // Nobody took anything back: what was learned from documents counts, or a clock that is behind would install from old papers.
  expect(offer(good, { now: NOW + YEAR_MS, ownTime: NOW - YEAR_MS })).toBe("MANIFEST_EXPIRED");
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
      ownTime: NOW,
      device: "edge-001",
    });
    return accepted.ok ? "accepted" : accepted.trouble.code;
  };
  expect(assigned(sealAssignment(8, "edge-001", "pilot", key))).toBe("accepted");
  expect(assigned(sealAssignment(8, "edge-002", "pilot", key))).toBe("ASSIGNMENT_WRONG_DEVICE");
  expect(assigned(sealAssignment(6, "edge-001", "pilot", key))).toBe("ASSIGNMENT_REPLAYED");
  expect(assigned(sealAssignment(7, "edge-001", "pilot", key))).toBe("ASSIGNMENT_EQUIVOCATED");
  expect(assigned(sealAssignment(Number.MAX_SAFE_INTEGER, "edge-001", "pilot", key))).toBe("ASSIGNMENT_FAR_AHEAD");
});
