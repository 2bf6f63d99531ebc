// Secrets that systemd hands to the service (LoadCredential=, since systemd 247) stand in for files that no variable names.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const CREDENTIALS = {
  HUB_API_TOKEN_FILE: "api-token",
  HUB_JOIN_TOKEN_FILE: "join-token",
  HUB_OIDC_CLIENT_SECRET_FILE: "oidc-client-secret",
} as const;

/** A credential of white space stands for none, because a unit cannot say "if it is there" otherwise. */
export function withCredentials(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const directory = environment["CREDENTIALS_DIRECTORY"];
  if (!directory) return environment;
  const handed = Object.entries(CREDENTIALS).flatMap(([variable, name]) => {
    const file = join(directory, name);
    const isThere = existsSync(file) && readFileSync(file, "utf8").trim() !== "";
    return isThere && environment[variable] === undefined ? [[variable, file] as const] : [];
  });
  return { ...environment, ...Object.fromEntries(handed) };
}
