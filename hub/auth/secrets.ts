// Random secrets that are shown once and kept as a hash; the prefix says what a found one was for.
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Of 256 random bits: there is nothing to guess, so nothing slower is needed. Passwords are hashed elsewhere. */
export const hashSecret = (secret: string) => createHash("sha256").update(secret).digest("hex");

/** Compared by hash, so that the time it takes tells nothing. */
export function isSameSecret(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(a)), Buffer.from(hashSecret(b)));
}

/** `ces_` session, `cet_` API token, `cej_` join token, `cel_` one-time link. */
export type SecretKind = "ces" | "cet" | "cej" | "cel";

export interface NewSecret {
  secret: string;
  hash: string;
  /** To recognise it by in a list; 24 of 256 bits are no help to a guesser. */
  prefix: string;
}

export function newSecret(kind: SecretKind): NewSecret {
  const secret = `${kind}_${randomBytes(32).toString("base64url")}`;
  return { secret, hash: hashSecret(secret), prefix: secret.slice(0, 8) };
}

/** Ties a session to the hub's one token without keeping anything from which that token could be guessed. */
export function boundTo(sessionSecret: string, token: string): string {
  return createHmac("sha256", sessionSecret).update(token).digest("hex");
}
