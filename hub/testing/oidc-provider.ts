// A small OpenID provider on loopback: discovery, keys, a code for whoever comes, and ID tokens that a test may spoil.
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import type { AddressInfo } from "node:net";
import Fastify from "fastify";

type Claims = Record<string, unknown>;

export interface OidcProvider {
  issuer: string;
  /** Who signs in next, and what is wrong with the answer. */
  next: { claims: Claims; spoil?: (claims: Claims) => Claims; signWith?: "another key"; algorithm: "RS256" | "ES256" };
  /** Follows the hub's redirect as a browser would. @returns the address it is sent back to. */
  visit(location: string): Promise<URL>;
  close(): Promise<void>;
}

const b64 = (value: string | Buffer) => Buffer.from(value).toString("base64url");

export async function startOidcProvider(clientId: string, clientSecret: string): Promise<OidcProvider> {
  const keys = {
    RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  };
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const codes = new Map<string, { challenge: string; nonce: string }>();
  const app = Fastify();
  app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) =>
    done(null, new URLSearchParams(String(body))),
  );

  app.get("/.well-known/openid-configuration", () => ({
    issuer: provider.issuer,
    authorization_endpoint: `${provider.issuer}/authorize`,
    token_endpoint: `${provider.issuer}/token`,
    jwks_uri: `${provider.issuer}/keys`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256", "ES256"],
    code_challenge_methods_supported: ["S256"],
  }));
  app.get("/keys", () => ({
    keys: Object.entries(keys).map(([alg, { publicKey }]) => ({
      ...publicKey.export({ format: "jwk" }),
      kid: alg,
      alg,
      use: "sig",
    })),
  }));
  app.get<{ Querystring: Record<string, string> }>("/authorize", ({ query }, reply) => {
    const code = randomUUID();
    codes.set(code, { challenge: query["code_challenge"] ?? "", nonce: query["nonce"] ?? "" });
    const back = new URL(query["redirect_uri"] ?? "");
    back.searchParams.set("code", code);
    back.searchParams.set("state", query["state"] ?? "");
    return reply.redirect(back.href);
  });
  app.post<{ Body: URLSearchParams }>("/token", async ({ body, headers }, reply) => {
    const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`;
    const isClient = headers.authorization === basic || body.get("client_secret") === clientSecret;
    const code = codes.get(body.get("code") ?? "");
    codes.delete(body.get("code") ?? "");
    const challenge = createHash("sha256")
      .update(body.get("code_verifier") ?? "")
      .digest("base64url");
    if (!isClient || !code || code.challenge !== challenge) return reply.code(400).send({ error: "invalid_grant" });
    const seconds = Math.floor(Date.now() / 1_000);
    const times = { iat: seconds, exp: seconds + 300 };
    const honest = { iss: provider.issuer, aud: clientId, nonce: code.nonce, ...times, ...provider.next.claims };
    const claims = provider.next.spoil?.(honest) ?? honest;
    return { access_token: "unused", token_type: "Bearer", id_token: idToken(claims) };
  });

  function idToken(claims: Claims): string {
    const { algorithm, signWith } = provider.next;
    const { privateKey } = signWith ? stranger : keys[algorithm];
    const content = `${b64(JSON.stringify({ alg: algorithm, kid: algorithm }))}.${b64(JSON.stringify(claims))}`;
    return `${content}.${b64(sign("sha256", Buffer.from(content), { key: privateKey, dsaEncoding: "ieee-p1363" }))}`;
  }

  await app.listen({ port: 0, host: "127.0.0.1" });
  const provider: OidcProvider = {
    issuer: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    next: { claims: {}, algorithm: "RS256" },
    async visit(location) {
      const response = await fetch(location, { redirect: "manual" });
      return new URL(response.headers.get("location") ?? "");
    },
    close: () => app.close(),
  };
  return provider;
}
