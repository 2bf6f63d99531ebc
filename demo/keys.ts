// The demo's secrets: one release key, one hub key, one join token, made at the first start and kept with mode 0600.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { signingKeyFromSeed, type SigningKey } from "@context-edge/protocol";

export interface DemoKeys {
  hubKeyFile: string;
  hubPublicFile: string;
  releaseKeyFile: string;
  releasePublicFile: string;
  joinTokenFile: string;
  /** Allows the actions on the status pages. */
  pinFile: string;
}

export const DEMO_PIN = "2468";

export function ensureKeys(dir: string): DemoKeys {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const joinTokenFile = join(dir, "join.token");
  if (!existsSync(joinTokenFile)) writeFileSync(joinTokenFile, randomBytes(24).toString("base64url"), { mode: 0o600 });
  const pinFile = join(dir, "pin");
  // Known to everybody: these pages listen on loopback only, and a newcomer should be able to try them.
  writeFileSync(pinFile, `${DEMO_PIN}\n`, { mode: 0o600 });
  const hub = ensureKeyPair(dir, "hub");
  const release = ensureKeyPair(dir, "release");
  return {
    hubKeyFile: hub.keyFile,
    hubPublicFile: hub.publicFile,
    releaseKeyFile: release.keyFile,
    releasePublicFile: release.publicFile,
    joinTokenFile,
    pinFile,
  };
}

function ensureKeyPair(dir: string, name: string) {
  const keyFile = join(dir, `${name}.key.pem`);
  const publicFile = join(dir, `${name}.pub.pem`);
  if (!existsSync(keyFile)) {
    const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
    writeFileSync(keyFile, pem, { mode: 0o600 });
  }
  const publicPem = createPublicKey(readFileSync(keyFile, "utf8")).export({ type: "spki", format: "pem" });
  writeFileSync(publicFile, publicPem);
  return { keyFile, publicFile };
}

/** @param file a PKCS8 PEM file with an Ed25519 private key. */
export function loadSigningKey(file: string): SigningKey {
  const { d } = createPrivateKey(readFileSync(file, "utf8")).export({ format: "jwk" });
  if (typeof d !== "string") throw new Error(`${file} holds no Ed25519 private key`);
  return signingKeyFromSeed(Buffer.from(d, "base64url"));
}
