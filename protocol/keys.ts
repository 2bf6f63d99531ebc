// Ed25519 keys as raw bytes. Small-order public keys are refused at the door: some verifiers accept forged signatures under them.
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

export type KeyProblem = "KEY_MALFORMED" | "KEY_SMALL_ORDER";

export interface PublicKey {
  /** sha256 of the raw key, hex: what DSSE's `keyid` carries. */
  id: string;
  /** 32 bytes. */
  raw: Uint8Array;
}

export interface SigningKey {
  publicKey: PublicKey;
  /** 32 bytes. Never leaves the process that loaded it. */
  seed: Uint8Array;
}

/** @returns the key, or why these 32 bytes must not be trusted. */
export function parsePublicKey(raw: Uint8Array): PublicKey | KeyProblem {
  if (raw.length !== 32) return "KEY_MALFORMED";
  try {
    const point = ed25519.Point.fromBytes(raw, false);
    if (point.isSmallOrder() || !point.isTorsionFree()) return "KEY_SMALL_ORDER";
  } catch {
    return "KEY_MALFORMED";
  }
  return { id: bytesToHex(sha256(raw)), raw };
}

/** @param seed 32 random bytes, the private half as RFC 8032 defines it. */
export function signingKeyFromSeed(seed: Uint8Array): SigningKey {
  const publicKey = parsePublicKey(ed25519.getPublicKey(seed));
  if (typeof publicKey === "string") throw new Error(`the seed gives no usable key: ${publicKey}`);
  return { publicKey, seed };
}
