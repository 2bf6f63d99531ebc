// The version statement, signed with the release key: what no hub can make by itself.
import { createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import {
  Envelope,
  peekPayload,
  seal,
  signingKeyFromSeed,
  Statement,
  STATEMENT_PAYLOAD_TYPE,
  statementSchemaOf,
  type Golden,
  type SigningKey,
  type Variant,
} from "@context-edge/protocol";
import { wrongUse } from "../exits.ts";
import { read } from "../plain-words.ts";
import { readJson } from "./release-file.ts";

/** @param file an Ed25519 private key, PKCS8 PEM. Nothing of its content is ever part of a message. */
export async function loadReleaseKey(file: string): Promise<SigningKey> {
  const nextStep = "Make one with: openssl genpkey -algorithm ed25519 -out release.key.pem";
  const pem = await readFile(file, "utf8").catch(() => {
    throw wrongUse(`The release key ${file} cannot be read.`, nextStep);
  });
  try {
    const { d } = createPrivateKey(pem).export({ format: "jwk" });
    if (typeof d === "string") return signingKeyFromSeed(Buffer.from(d, "base64url"));
  } catch {
    // Encrypted, of another kind, or no key at all: one answer for all of them.
  }
  throw wrongUse(`${file} holds no Ed25519 private key in PKCS8 PEM without a passphrase.`, nextStep);
}

export interface StatementFacts {
  model: string;
  version: string;
  release: number;
  minimumRelease: number | undefined;
  createdAt: string;
  variants: readonly Variant[];
  golden: Golden | undefined;
}

export function signStatement(facts: StatementFacts, key: SigningKey): Envelope {
  const { model, version, release, minimumRelease, createdAt, variants, golden } = facts;
  const statement = read(Statement, {
    schema: statementSchemaOf(variants),
    model,
    version,
    release,
    ...(minimumRelease === undefined ? {} : { minimum_release: minimumRelease }),
    created_at: createdAt,
    variants,
    ...(golden === undefined ? {} : { golden }),
  });
  if (!statement.ok)
    throw wrongUse(`The statement would not be valid: ${statement.where.join(".")}: ${statement.wrong}.`);
  return seal(STATEMENT_PAYLOAD_TYPE, statement.value, key);
}

/** A statement that was signed elsewhere; the hub verifies it, here it is only compared with what is published. */
export async function readStatement(file: string): Promise<{ envelope: Envelope; statement: Statement }> {
  const envelope = await readJson(file, Envelope);
  const statement = peekPayload(envelope, Statement);
  if (!statement) throw wrongUse(`${file} is no version statement.`);
  return { envelope, statement };
}
