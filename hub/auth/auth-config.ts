// The settings of sign-in: none, the one token, or accounts, with or without the organisation's own sign-in (OIDC).
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { Role } from "@context-edge/protocol";
import { z } from "zod";

export interface OidcConfig {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Where the claim with the person's groups is: `groups`, or `realm_access.roles`. */
  roleClaim: string;
  /** From a value of that claim to a role; `*` is anybody whom the issuer signs in. */
  roles: ReadonlyMap<string, Role>;
}

export type AuthConfig =
  | { kind: "none" }
  | { kind: "token"; token: string }
  | { kind: "accounts"; oidc: OidcConfig | undefined };

const proxies = z
  .string()
  .default("")
  .transform((text) => text.split(",").map((part) => part.trim()))
  .transform((parts) => parts.filter((part) => part !== ""))
  .refine((parts) => parts.every(isAddressRange), "is a list of addresses and ranges such as 10.0.0.0/8");

const rolePairs = z
  .string()
  .default("")
  .transform((text) => text.split(",").flatMap((pair) => (pair.trim() === "" ? [] : [pair.trim()])))
  .transform((pairs, context) => {
    const roles = new Map<string, Role>();
    for (const pair of pairs) {
      const cut = pair.lastIndexOf("=");
      const role = Role.safeParse(pair.slice(cut + 1).trim());
      if (cut > 0 && role.success) roles.set(pair.slice(0, cut).trim(), role.data);
      else context.addIssue({ code: "custom", message: `"${pair}" is not of the form group=viewer|engineer|admin` });
    }
    return roles;
  });

export const AUTH_ENVIRONMENT = {
  HUB_AUTH: z.enum(["none", "token", "accounts"]).default("none"),
  HUB_API_TOKEN_FILE: z.string().optional(),
  HUB_TRUSTED_PROXIES: proxies,
  HUB_SESSION_IDLE_MINUTES: z.coerce
    .number()
    .min(5)
    .max(7 * 1_440)
    .default(1_440),
  HUB_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  HUB_OIDC_ISSUER: z.url({ protocol: /^https?$/ }).optional(),
  HUB_OIDC_CLIENT_ID: z.string().optional(),
  HUB_OIDC_CLIENT_SECRET_FILE: z.string().optional(),
  HUB_OIDC_ROLE_CLAIM: z.string().default("groups"),
  HUB_OIDC_ROLES: rolePairs,
} as const;
type AuthEnvironment = z.infer<z.ZodObject<typeof AUTH_ENVIRONMENT>>;

/** @returns the settings, or a sentence that says which is wrong. */
export function readAuth(env: AuthEnvironment): AuthConfig | string {
  if (env.HUB_OIDC_ISSUER !== undefined && env.HUB_AUTH !== "accounts")
    return "HUB_OIDC_ISSUER needs HUB_AUTH=accounts";
  if (env.HUB_AUTH === "none") return { kind: "none" };
  if (env.HUB_AUTH === "token") {
    const token = readSecret(env.HUB_API_TOKEN_FILE);
    if (token !== undefined && token.length >= 16) return { kind: "token", token };
    return "HUB_AUTH=token needs HUB_API_TOKEN_FILE, a file with a token of at least 16 characters";
  }
  const oidc = readOidc(env);
  return typeof oidc === "string" ? oidc : { kind: "accounts", oidc };
}

function readOidc(env: AuthEnvironment): OidcConfig | undefined | string {
  const { HUB_OIDC_ISSUER: issuer, HUB_OIDC_CLIENT_ID: clientId, HUB_OIDC_ROLES: roles } = env;
  if (issuer === undefined) return undefined;
  const clientSecret = readSecret(env.HUB_OIDC_CLIENT_SECRET_FILE);
  if (clientId === undefined || clientSecret === undefined || clientSecret === "")
    return "HUB_OIDC_ISSUER needs HUB_OIDC_CLIENT_ID and HUB_OIDC_CLIENT_SECRET_FILE";
  if (env.HUB_PUBLIC_URL === undefined)
    return "HUB_OIDC_ISSUER needs HUB_PUBLIC_URL, the address under which browsers reach this hub";
  if (roles.size === 0) return "HUB_OIDC_ROLES: say who gets which role, such as edge-admins=admin,*=viewer";
  const { protocol, hostname } = new URL(issuer);
  if (protocol === "http:" && !isLoopback(hostname)) return "HUB_OIDC_ISSUER must be https";
  return { issuer, clientId, clientSecret, roles, roleClaim: env.HUB_OIDC_ROLE_CLAIM };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

export function readSecret(file: string | undefined): string | undefined {
  return file === undefined ? undefined : readFileSync(file, "utf8").trim();
}

function isAddressRange(text: string): boolean {
  const [address = "", bits] = text.split("/");
  const family = isIP(address);
  if (family === 0 || text.split("/").length > 2) return false;
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= (family === 4 ? 32 : 128))
  );
}
