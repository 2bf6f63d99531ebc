// Once for all files of this folder: the root directory of the machines, and the archive that is installed in them.
import type { TestProject } from "vitest/node";
import { makeRootfs, obstacle } from "./machine.ts";
import { pack } from "./release.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Why no machine can be booted here; empty: one can. */
    obstacle: string;
    archive: string;
    sha256: string;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  const why = obstacle() ?? (await makeRootfs()) ?? "";
  if (why !== "") process.stderr.write(`SKIPPED: no systemd can be booted here: ${why}.\n`);
  // Only of this machine's own kind can it be run in one.
  const packed = pack(process.arch === "arm64" ? "linux-arm64" : "linux-x64");
  project.provide("obstacle", why);
  project.provide("archive", packed.archive);
  project.provide("sha256", packed.sha256);
  return () => packed.drop();
}
