// Public keys from PEM files, as `openssl pkey -pubout` writes them.
import { createPublicKey } from "node:crypto";
import { type KeyProblem, parsePublicKey, type PublicKey } from "@context-edge/protocol";

/** @param pem SPKI PEM of an Ed25519 key */
export function loadPublicKey(pem: string): PublicKey | KeyProblem {
  try {
    const jwk = createPublicKey(pem).export({ format: "jwk" });
    // RFC 8037: `x` is the raw key, base64url.
    if (jwk.crv !== "Ed25519" || jwk.x === undefined) return "KEY_MALFORMED";
    return parsePublicKey(new Uint8Array(Buffer.from(jwk.x, "base64url")));
  } catch {
    return "KEY_MALFORMED";
  }
}
