// A Python with what training needs, from training/venv.sh: made once per machine, and a printed reason where it cannot be made.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const INSTALL_MS = 15 * 60_000;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export type Python = { ok: true; path: string } | { ok: false };

/** @returns the interpreter; where there is none the reason is printed, so that nobody takes skipped tests for a pass. */
export async function findPython(): Promise<Python> {
  const { code, stdout, stderr } = await execute("bash", ["training/venv.sh"], {}, INSTALL_MS);
  if (code === 0) return { ok: true, path: stdout.trim() };
  process.stderr.write(`\nSKIPPED: the training container's command cannot run here: ${stderr.trim()}\n`);
  return { ok: false };
}

/** In the top of the repository. Never throws: how it ends is part of what is tested. */
export function execute(
  file: string,
  args: readonly string[],
  env: Record<string, string> = {},
  timeout = 170_000,
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: ROOT, env: { ...process.env, ...env }, timeout, maxBuffer: 1 << 26 };
    const child = execFile(file, args, options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
