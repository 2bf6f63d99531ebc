// Envelopes and keys: what opens, what is refused and with which code.
import { ed25519 } from "@noble/curves/ed25519.js";
import { base64 } from "@scure/base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { openEnvelope, seal, type Envelope, type EnvelopeProblem } from "./dsse.ts";
import { parsePublicKey, signingKeyFromSeed } from "./keys.ts";

const TYPE = "application/vnd.context-edge.test+json";
const schema = z.object({ n: z.number() });
const alice = signingKeyFromSeed(new Uint8Array(32).fill(1));
const mallory = signingKeyFromSeed(new Uint8Array(32).fill(2));
const open = (input: unknown) => openEnvelope(input, { payloadType: TYPE, keys: [alice.publicKey], schema });
const sealed = seal(TYPE, { n: 1 }, alice);
const [signature] = sealed.signatures;
if (!signature) throw new Error("seal signed nothing");

test("an envelope opens with the key that sealed it and names that key", () => {
  expect(open(sealed)).toEqual({ ok: true, value: { n: 1 }, keyId: alice.publicKey.id });
});

test("the signed bytes are the specification's: DSSEv1, then length and text of the type, then of the payload", () => {
  const byHand = new TextEncoder().encode(`DSSEv1 ${TYPE.length} ${TYPE} 7 {"n":1}`);
  expect(ed25519.verify(base64.decode(signature.sig), byHand, alice.publicKey.raw)).toBe(true);
});

describe("an envelope is refused, each way with its own code", () => {
  const tampered = base64.encode(new TextEncoder().encode('{"n":2}'));
  const zeroSignature = base64.encode(new Uint8Array(64));
  const rows: [string, unknown, EnvelopeProblem][] = [
    ["something that is no envelope", { hello: 1 }, "ENVELOPE_MALFORMED"],
    ["null", null, "ENVELOPE_MALFORMED"],
    [
      "a payload type of another document (CVE-2022-35929 of cosign)",
      { ...sealed, payloadType: "text/plain" },
      "PAYLOAD_TYPE_UNKNOWN",
    ],
    ["no signature at all", { ...sealed, signatures: [] }, "SIGNATURE_MISSING"],
    ["the same key twice", { ...sealed, signatures: [signature, signature] }, "KEY_DUPLICATE"],
    ["a stranger's signature", seal(TYPE, { n: 1 }, mallory), "KEY_UNKNOWN"],
    [
      "an empty key id (GHSA-g2pf-6v5v-qcc8 of OPA)",
      { ...sealed, signatures: [{ ...signature, keyid: "" }] },
      "KEY_UNKNOWN",
    ],
    ["another payload under the same signature", { ...sealed, payload: tampered }, "SIGNATURE_INVALID"],
    ["a signature of zeroes", { ...sealed, signatures: [{ ...signature, sig: zeroSignature }] }, "SIGNATURE_INVALID"],
    [
      "a signature of the wrong length",
      { ...sealed, signatures: [{ ...signature, sig: "AAAA" }] },
      "SIGNATURE_INVALID",
    ],
    [
      "a stranger's signature under a trusted key id",
      { ...sealed, signatures: [{ keyid: alice.publicKey.id, sig: seal(TYPE, { n: 1 }, mallory).signatures[0]?.sig }] },
      "SIGNATURE_INVALID",
    ],
    ["a signed payload of the wrong shape", seal(TYPE, { n: "one" }, alice), "PAYLOAD_MALFORMED"],
  ];
  test.each(rows)("%s", (_title, envelope, problem) => {
    expect(open(envelope)).toEqual({ ok: false, problem });
  });

  test("the same bytes sealed as another type (CVE-2022-35929 of cosign)", () => {
    const other = seal("application/vnd.context-edge.other+json", { n: 1 }, alice);
    expect(open({ ...other, payloadType: TYPE })).toEqual({ ok: false, problem: "SIGNATURE_INVALID" });
  });
});

test("no single flipped bit of the payload or of the signature goes unnoticed", () => {
  const flip = (text: string, bit: number) => {
    const bytes = base64.decode(text);
    const index = Math.floor(bit / 8) % bytes.length;
    bytes[index] = (bytes[index] ?? 0) ^ (1 << (bit % 8));
    return base64.encode(bytes);
  };
  fc.assert(
    fc.property(fc.nat(511), fc.boolean(), (bit, inPayload) => {
      const broken: Envelope = inPayload
        ? { ...sealed, payload: flip(sealed.payload, bit) }
        : { ...sealed, signatures: [{ ...signature, sig: flip(signature.sig, bit) }] };
      expect(open(broken).ok).toBe(false);
    }),
    { numRuns: 60 },
  );
});

describe("public keys", () => {
  test("a real key gets an id that is the hash of its bytes", () => {
    expect(parsePublicKey(alice.publicKey.raw)).toEqual(alice.publicKey);
    expect(alice.publicKey.id).toMatch(/^[0-9a-f]{64}$/);
  });

  // The eight points of small order, RFC 7748 §7 and "Taming the many EdDSAs": under them signatures can be forged.
  const smallOrder = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  ];
  test.each(smallOrder)("the small-order key %s is refused", (hex) => {
    expect(parsePublicKey(Uint8Array.from(Buffer.from(hex, "hex")))).toBe("KEY_SMALL_ORDER");
  });

  test("a key of the wrong length is malformed", () => {
    expect(parsePublicKey(new Uint8Array(31))).toBe("KEY_MALFORMED");
  });
});
