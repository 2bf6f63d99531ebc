// The hub's keys: its own for signing manifests, the release keys whose statements it accepts, and a laptop's stand-in for training.
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parsePublicKey, signingKeyFromSeed, type PublicKey, type SigningKey } from "@context-edge/protocol";
import type { HubConfig } from "./config.ts";

export interface HubKeys {
  signing: SigningKey;
  /** Keys of training sides; a statement by any of them counts. */
  release: PublicKey[];
  /** Only on a laptop: signs what is registered without a statement. */
  devRelease: SigningKey | undefined;
}

/** @throws Error that names the file when a key cannot be used: there is no unsigned fallback. */
export function loadKeys(config: HubConfig): HubKeys {
  if (!existsSync(config.signingKeyFile)) createSigningKey(config.signingKeyFile);
  const devRelease = config.devReleaseKeyFile === undefined ? undefined : readSigningKey(config.devReleaseKeyFile);
  const release = config.releaseKeyFiles.map(readPublicKey);
  if (devRelease && !release.some(({ id }) => id === devRelease.publicKey.id)) release.push(devRelease.publicKey);
  return { signing: readSigningKey(config.signingKeyFile), release, devRelease };
}

function createSigningKey(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  writeFileSync(file.replace(/(\.key)?\.pem$/, ".pub.pem"), publicKey.export({ type: "spki", format: "pem" }));
}

function readSigningKey(file: string): SigningKey {
  const { d } = createPrivateKey(readFileSync(file, "utf8")).export({ format: "jwk" });
  if (typeof d !== "string") throw new Error(`${file} holds no Ed25519 private key (PKCS8 PEM)`);
  return signingKeyFromSeed(Buffer.from(d, "base64url"));
}

function readPublicKey(file: string): PublicKey {
  const { x } = createPublicKey(readFileSync(file, "utf8")).export({ format: "jwk" });
  const key = typeof x === "string" ? parsePublicKey(Buffer.from(x, "base64url")) : "KEY_MALFORMED";
  if (typeof key === "string") throw new Error(`${file} holds no usable Ed25519 public key: ${key}`);
  return key;
}
