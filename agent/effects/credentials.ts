// Secrets that systemd hands to the service (LoadCredential=, since systemd 247): files that only this process can read.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** @returns the credential's file; one of white space stands for none, because a unit cannot say "if it is there" otherwise */
export function credentialFile(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const directory = environment["CREDENTIALS_DIRECTORY"];
  if (!directory) return undefined;
  const file = join(directory, name);
  return existsSync(file) && readFileSync(file, "utf8").trim() !== "" ? file : undefined;
}
