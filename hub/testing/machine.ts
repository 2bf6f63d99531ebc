// What this machine lets a test do. What it does not is said, so that nobody takes a skipped test for a pass.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Undefined where it is not installed. */
export const STRACE = ["/usr/bin/strace", "/usr/local/bin/strace"].find((path) => existsSync(path));
if (STRACE === undefined) process.stderr.write("\nstrace is not installed: what needs it is skipped.\n");

export function mayMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"], { stdio: "pipe" });
    return true;
  } catch {
    process.stderr.write("\nThis process may not mount: the tests of a full disk are skipped.\n");
    return false;
  }
}
