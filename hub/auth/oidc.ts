// The organisation's own sign-in by OpenID Connect: code flow with PKCE, state and nonce, all kept in one signed, short-lived cookie.
import { createHmac } from "node:crypto";
import type { Role } from "@context-edge/protocol";
import * as oidc from "openid-client";
import { z } from "zod";
import { ProblemError } from "../problem-error.ts";
import type { OidcConfig } from "./auth-config.ts";
import { isSameSecret } from "./secrets.ts";

export const FLOW_SECONDS = 600;
const DISCOVERY_MS = 3_600_000;
const CALLBACK = "/api/v1/session/oidc/callback";

const Flow = z.object({ state: z.string(), nonce: z.string(), verifier: z.string(), ends_ms: z.number() });

export interface Identity {
  /** `issuer subject`: who it is, whatever the name is today. */
  subject: string;
  /** What the organisation calls this person; not yet a name of this hub. */
  name: string;
  /** Null: it is somebody there, but nobody here. */
  role: Role | null;
}

export interface OidcSignIn {
  /** Where the browser goes, and the cookie it must bring back. */
  begin(): Promise<{ location: string; cookie: string }>;
  /** @throws SIGN_IN_REFUSED unless everything fits together. */
  finish(query: string, cookie: string | undefined): Promise<Identity>;
}

export function oidcSignIn(config: OidcConfig, publicUrl: string, now: () => number): OidcSignIn {
  const redirectUri = new URL(CALLBACK, publicUrl).href;
  // Of the client's secret, so that any replica can finish what another began.
  const cookieKey = createHmac("sha256", config.clientSecret).update("context-edge oidc flow cookie").digest();
  const sign = (payload: string) => createHmac("sha256", cookieKey).update(payload).digest("base64url");
  let known: { at: number; client: oidc.Configuration } | undefined;

  const discover = async (): Promise<oidc.Configuration> => {
    if (known && now() - known.at < DISCOVERY_MS) return known.client;
    const isPlain = new URL(config.issuer).protocol === "http:";
    // The library trusts TLS alone for the ID token unless it is told to look at the signature too.
    const execute = [oidc.enableNonRepudiationChecks, ...(isPlain ? [oidc.allowInsecureRequests] : [])];
    const options = { timeout: 10, execute };
    const { issuer, clientId, clientSecret } = config;
    const client = await oidc.discovery(new URL(issuer), clientId, clientSecret, undefined, options).catch((cause) => {
      throw new ProblemError("SIGN_IN_UNAVAILABLE", `The sign-in at ${issuer} does not answer as it should.`, {
        nextStep: `Try again soon, or sign in with a password. For admins: ${wordsOf(cause)}`,
      });
    });
    known = { at: now(), client };
    return client;
  };

  const open = (cookie: string | undefined) => {
    const [payload = "", signature = ""] = (cookie ?? "").split(".");
    if (payload === "" || !isSameSecret(signature, sign(payload))) throw refused("This sign-in was not begun here.");
    const flow = Flow.parse(JSON.parse(Buffer.from(payload, "base64url").toString()));
    if (flow.ends_ms < now()) throw refused("This sign-in took too long.");
    return flow;
  };

  return {
    async begin() {
      const client = await discover();
      const flow = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
        ends_ms: now() + FLOW_SECONDS * 1_000,
      };
      const location = oidc.buildAuthorizationUrl(client, {
        redirect_uri: redirectUri,
        scope: "openid profile email",
        code_challenge: await oidc.calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: "S256",
        state: flow.state,
        nonce: flow.nonce,
      });
      const payload = Buffer.from(JSON.stringify(flow)).toString("base64url");
      return { location: location.href, cookie: `${payload}.${sign(payload)}` };
    },
    async finish(query, cookie) {
      const flow = open(cookie);
      const client = await discover();
      const back = new URL(`${redirectUri}?${query}`);
      const tokens = await oidc
        .authorizationCodeGrant(client, back, {
          pkceCodeVerifier: flow.verifier,
          expectedState: flow.state,
          expectedNonce: flow.nonce,
          idTokenExpected: true,
        })
        .catch((cause: unknown) => {
          throw refused(`The sign-in was not confirmed: ${wordsOf(cause)}.`);
        });
      const claims = tokens.claims();
      if (!claims) throw refused("The answer names nobody.");
      const name = [claims["preferred_username"], claims["email"], claims.sub].find((one) => typeof one === "string");
      return { subject: `${claims.iss} ${claims.sub}`, name: String(name), role: roleOf(config, claims) };
    },
  };
}

const RANK: readonly Role[] = ["viewer", "engineer", "admin"];

/** The highest role that any value of the claim stands for. */
export function roleOf({ roleClaim, roles }: OidcConfig, claims: Record<string, unknown>): Role | null {
  let value: unknown = claims[roleClaim];
  if (value === undefined) {
    value = roleClaim
      .split(".")
      .reduce<unknown>(
        (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
        claims,
      );
  }
  const values = ["*", ...[value].flat().filter((one) => typeof one === "string")];
  const found = values.flatMap((one) => roles.get(one) ?? []);
  return found.toSorted((a, b) => RANK.indexOf(b) - RANK.indexOf(a))[0] ?? null;
}

function refused(detail: string): ProblemError {
  return new ProblemError("SIGN_IN_REFUSED", detail, {
    nextStep: "Begin again from the sign-in page, or ask an admin.",
  });
}

/** The library's own words name the check that failed; its cause may hold what was sent, and stays out. */
function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : "no reason was given";
}
