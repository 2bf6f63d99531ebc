// The hub's keys: its own for signing manifests, the release keys whose statements it accepts, and a laptop's stand-in for training.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parsePublicKey, signingKeyFromSeed, type PublicKey, type SigningKey } from "@context-edge/protocol";
import type { HubConfig } from "./config.ts";
import type { Repositories } from "./store/store.ts";

export interface HubKeys {
  signing: SigningKey;
  /** All that sign: the hub's key and, while it is being replaced, the one before. */
  signers: readonly [SigningKey, ...SigningKey[]];
  /** Keys of training sides; a statement by any of them counts. */
  release: PublicKey[];
  /** Only on a laptop: signs what is registered without a statement. */
  devRelease: SigningKey | undefined;
}

/** @throws Error that names the file when a key cannot be used: there is no unsigned fallback. */
export async function loadKeys(config: HubConfig, { groups }: Pick<Repositories, "groups">): Promise<HubKeys> {
  if (!existsSync(config.signingKeyFile)) {
    // A new key instead of one that is merely not mounted would be refused by every device.
    const signed = (await groups.list()).find(({ manifest }) => manifest !== null)?.manifest;
    if (signed) {
      throw new Error(
        `the signing key ${config.signingKeyFile} is missing, but devices follow manifests signed with key ` +
          `${signed.signatures[0]?.keyid.slice(0, 16) ?? "?"}…. Bring the file back (is the volume mounted?), ` +
          "or replace the key as docs/scaling.md says. The hub serves nothing unsigned.",
      );
    }
    createSigningKey(config.signingKeyFile);
  }
  const signing = readSigningKey(config.signingKeyFile);
  const previous =
    config.previousSigningKeyFile === undefined ? undefined : readSigningKey(config.previousSigningKeyFile);
  const devRelease = config.devReleaseKeyFile === undefined ? undefined : readSigningKey(config.devReleaseKeyFile);
  const release = config.releaseKeyFiles.map(readPublicKey);
  if (devRelease && !release.some(({ id }) => id === devRelease.publicKey.id)) release.push(devRelease.publicKey);
  // The same key twice is refused by every device.
  const isAnother = previous !== undefined && previous.publicKey.id !== signing.publicKey.id;
  return { signing, signers: isAnother ? [signing, previous] : [signing], release, devRelease };
}

/** Whole or not at all, and the first one wins: replicas that share a directory may start at the same moment. */
function createSigningKey(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const making = `${file}.${randomUUID()}`;
  writeFileSync(making, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flush: true });
  try {
    linkSync(making, file);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return;
    throw error;
  } finally {
    rmSync(making, { force: true });
  }
  writeFileSync(file.replace(/(\.key)?\.pem$/, ".pub.pem"), publicKey.export({ type: "spki", format: "pem" }));
}

function readSigningKey(file: string): SigningKey {
  const { d } = read(file, "private key (PKCS8 PEM)", createPrivateKey).export({ format: "jwk" });
  return signingKeyFromSeed(Buffer.from(d ?? "", "base64url"));
}

function readPublicKey(file: string): PublicKey {
  const { x } = read(file, "public key (SPKI PEM)", createPublicKey).export({ format: "jwk" });
  const key = typeof x === "string" ? parsePublicKey(Buffer.from(x, "base64url")) : "KEY_MALFORMED";
  if (typeof key === "string") throw new Error(`${file} holds no usable Ed25519 public key: ${key}`);
  return key;
}

function read(file: string, what: string, parse: (pem: string) => KeyObject): KeyObject {
  try {
    const key = parse(readFileSync(file, "utf8"));
    if (key.asymmetricKeyType === "ed25519") return key;
    throw new Error(`it is of type ${key.asymmetricKeyType ?? "unknown"}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${file} gives no Ed25519 ${what}: ${why}`, { cause: error });
  }
}
