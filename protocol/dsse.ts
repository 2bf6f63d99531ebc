// DSSE envelopes (secure-systems-lab/dsse v1.0.2) with Ed25519: seal on one side, open on the other, and nothing is parsed before it is verified.
import { ed25519 } from "@noble/curves/ed25519.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { base64 } from "@scure/base";
import { z } from "zod";
import type { PublicKey, SigningKey } from "./keys.ts";

export const Envelope = z.object({
  payloadType: z.string().max(128),
  payload: z.base64(),
  signatures: z.array(z.object({ keyid: z.string().max(128), sig: z.base64() })).max(16),
});
export type Envelope = z.infer<typeof Envelope>;

export type EnvelopeProblem =
  | "ENVELOPE_MALFORMED"
  | "PAYLOAD_TYPE_UNKNOWN"
  | "SIGNATURE_MISSING"
  | "KEY_DUPLICATE"
  | "KEY_UNKNOWN"
  | "SIGNATURE_INVALID"
  | "PAYLOAD_MALFORMED";

export type Opened<T> = { ok: true; value: T; keyId: string } | { ok: false; problem: EnvelopeProblem };

/** Pre-authentication encoding: the type is signed with the payload, so one document never passes for another. */
function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8ToBytes(payloadType);
  return concatBytes(utf8ToBytes(`DSSEv1 ${type.length} `), type, utf8ToBytes(` ${payload.length} `), payload);
}

/**
 * Signs the JSON of `value`. The exact bytes are kept in the envelope, so no canonical form is needed.
 * @param others sign beside `key`, while a key is replaced: whoever knows any one of them can open it
 */
export function seal(payloadType: string, value: unknown, key: SigningKey, ...others: SigningKey[]): Envelope {
  const payload = utf8ToBytes(JSON.stringify(value));
  const message = preAuthEncoding(payloadType, payload);
  return {
    payloadType,
    payload: base64.encode(payload),
    signatures: [key, ...others].map(({ publicKey, seed }) => ({
      keyid: publicKey.id,
      sig: base64.encode(ed25519.sign(message, seed)),
    })),
  };
}

/**
 * Verifies, then parses. One valid signature by one of `keys` is enough; signatures by strangers beside it are ignored,
 * but the same key id twice is refused, and an empty or absent key id never matches.
 */
export function openEnvelope<T>(
  input: unknown,
  expected: { payloadType: string; keys: readonly PublicKey[]; schema: z.ZodType<T> },
): Opened<T> {
  const parsed = Envelope.safeParse(input);
  if (!parsed.success) return { ok: false, problem: "ENVELOPE_MALFORMED" };
  const envelope = parsed.data;
  if (envelope.payloadType !== expected.payloadType) return { ok: false, problem: "PAYLOAD_TYPE_UNKNOWN" };
  if (envelope.signatures.length === 0) return { ok: false, problem: "SIGNATURE_MISSING" };
  const ids = envelope.signatures.map((signature) => signature.keyid);
  if (new Set(ids).size !== ids.length) return { ok: false, problem: "KEY_DUPLICATE" };

  const candidates = envelope.signatures.flatMap((signature) => {
    const key = expected.keys.find((known) => known.id === signature.keyid);
    return key ? [{ key, sig: base64.decode(signature.sig) }] : [];
  });
  if (candidates.length === 0) return { ok: false, problem: "KEY_UNKNOWN" };

  const payload = base64.decode(envelope.payload);
  const message = preAuthEncoding(envelope.payloadType, payload);
  const signer = candidates.find(({ key, sig }) => isValid(sig, message, key));
  if (!signer) return { ok: false, problem: "SIGNATURE_INVALID" };

  const value = expected.schema.safeParse(parseJson(payload));
  if (!value.success) return { ok: false, problem: "PAYLOAD_MALFORMED" };
  return { ok: true, value: value.data, keyId: signer.key.id };
}

/** The payload without any proof of who wrote it. Only for showing; never to act upon. */
export function peekPayload<T>(envelope: Envelope, schema: z.ZodType<T>): T | undefined {
  const value = schema.safeParse(parseJson(base64.decode(envelope.payload)));
  return value.success ? value.data : undefined;
}

function isValid(sig: Uint8Array, message: Uint8Array, key: PublicKey): boolean {
  try {
    // zip215: false is RFC 8032's strict rule, the one every other verifier of a fleet would apply too.
    return sig.length === 64 && ed25519.verify(sig, message, key.raw, { zip215: false });
  } catch {
    return false;
  }
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}
