// Settings that work and yet hardly do what somebody meant: said once at the start, because nothing else would ever say it.
import type { HubConfig } from "./config.ts";

export function cautionsOf({
  auth,
  publicUrl,
  trustedProxies,
}: Pick<HubConfig, "auth" | "publicUrl" | "trustedProxies">): string[] {
  const isHttpsOutside = publicUrl !== undefined && new URL(publicUrl).protocol === "https:";
  if (auth.kind === "none" || !isHttpsOutside || trustedProxies.length > 0) return [];
  return [
    "HUB_PUBLIC_URL is https, but HUB_TRUSTED_PROXIES names no proxy: session cookies are not marked Secure, and the failed sign-ins and tokens of everybody count as those of one address. Name the address of whatever speaks https for this hub (docs/people.md)",
  ];
}
