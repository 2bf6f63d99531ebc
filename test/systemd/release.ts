// The archive for a device as `npm run pack:jetson` makes it, for the machines of these tests, and releases after it.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Machine } from "./machine.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Packed {
  /** Path of the archive here. */
  archive: string;
  sha256: string;
  drop(): void;
}

/** @param platform whose Node is inside */
export function pack(platform: "linux-arm64" | "linux-x64"): Packed {
  const out = mkdtempSync(join(tmpdir(), "context-edge-archive-"));
  const words = ["run", "--silent", "pack:jetson", "--", "--platform", platform, "--out", out];
  const [sha256 = "", archive = ""] = execFileSync("npm", words, { cwd: ROOT, encoding: "utf8" }).trim().split(/\s+/);
  return { archive, sha256, drop: () => rmSync(out, { recursive: true }) };
}

/** Puts the archive into a directory of the machine. */
export function carry(machine: Machine, archive: string, directory: string): void {
  mkdirSync(machine.path(directory), { recursive: true });
  cpSync(archive, join(machine.path(directory), basename(archive)));
}

/** Unpacks it there. @returns the directory that holds install.sh, as the machine sees it */
export function unpack(machine: Machine, archive: string, directory: string): string {
  mkdirSync(machine.path(directory), { recursive: true });
  execFileSync("tar", ["-xzf", archive, "-C", machine.path(directory)]);
  return `${directory}/${basename(archive, ".tar.gz")}`;
}

/** The next release: the same program under another number, or one that is changed. @returns its directory */
export function nextRelease(
  machine: Machine,
  from: string,
  id: string,
  change: (directory: string) => void = () => undefined,
): string {
  const to = `${from}-${id}`;
  const directory = machine.path(to);
  cpSync(machine.path(from), directory, { recursive: true });
  const version = join(directory, "VERSION");
  writeFileSync(version, readFileSync(version, "utf8").replace(/^id .*$/m, `id ${id}`));
  change(directory);
  const sums = join(directory, "SHA256SUMS");
  const names = readFileSync(sums, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.slice(66));
  const sumOf = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(directory, name)))
      .digest("hex");
  writeFileSync(sums, names.map((name) => `${sumOf(name)}  ${name}\n`).join(""));
  return to;
}
