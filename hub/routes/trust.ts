// Whose signatures count: the hub's own keys, which devices must know, and the release keys whose versions it takes.
import { Trust } from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Hub } from "../hub.ts";

export function addTrustRoutes(app: FastifyInstance, { keys }: Hub): void {
  app.withTypeProvider<ZodTypeProvider>().get("/api/v1/trust", { schema: { response: { 200: Trust } } }, async () => ({
    hub: keys.signers.map(({ publicKey }) => ({ id: publicKey.id, public_key: pemOf(publicKey.raw) })),
    release: keys.release.map(({ id, raw }) => ({
      id,
      public_key: pemOf(raw),
      development: keys.devRelease?.publicKey.id === id,
    })),
  }));
}

/** DER prefix of an Ed25519 SubjectPublicKeyInfo, RFC 8410 §4. */
const SPKI_ED25519 = Buffer.from("302a300506032b6570032100", "hex");

function pemOf(raw: Uint8Array): string {
  const der = Buffer.concat([SPKI_ED25519, raw]).toString("base64");
  return `-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----\n`;
}
