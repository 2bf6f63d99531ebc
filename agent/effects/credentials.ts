// Secrets that systemd hands to the service (LoadCredential=, since systemd 247): files that only this process can read.
import { statSync } from "node:fs";
import { join } from "node:path";

/** @returns the credential's file; an empty one stands for none, because a unit cannot say "if it is there" otherwise */
export function credentialFile(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const directory = environment["CREDENTIALS_DIRECTORY"];
  if (!directory) return undefined;
  const file = join(directory, name);
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0 ? file : undefined;
}
