// Processes of their own for what is measured: started, read to the end, and told apart from the process that measures.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

export interface Bundle {
  run<T>(task: unknown): Promise<T>;
  drop(): Promise<void>;
}

/**
 * Bundles a file of this folder as the agent is bundled for its image, to be run in processes of its own: the compiler
 * that strips types would otherwise be the larger part of their memory.
 */
export async function bundle(file: string): Promise<Bundle> {
  const dir = await mkdtemp(join(tmpdir(), "context-edge-bundle-"));
  const built = await rolldown({ input: here(file), platform: "node", logLevel: "silent" });
  await built.write({ dir, format: "esm", entryFileNames: "main.mjs", chunkFileNames: "[name]-[hash].mjs" });
  await built.close();
  return {
    /** Runs it with one JSON document and reads the JSON document it prints. */
    async run<T>(task: unknown) {
      const words = [join(dir, "main.mjs"), JSON.stringify(task)];
      const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
      const [output] = await Promise.all([text(child.stdout), once(child, "exit")]);
      return JSON.parse(output) as T;
    },
    drop: () => rm(dir, { recursive: true, force: true }),
  };
}

/**
 * Runs a line of shell and takes its times, those of its children included, as bash's `times` tells them.
 * @returns milliseconds
 */
export async function shellTimes(line: string): Promise<{ wallMs: number; cpuMs: number }> {
  const script = `set -e; TIMEFORMAT='%3R %3U %3S'; time { ${line}; }`;
  const child = spawn("bash", ["-c", script], { stdio: ["ignore", "ignore", "pipe"] });
  const [said] = await Promise.all([text(child.stderr), once(child, "exit")]);
  const [wall, user, system] = (said.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  if (child.exitCode !== 0 || wall === undefined || user === undefined || system === undefined) {
    throw new Error(`the baseline failed: ${said}`);
  }
  return { wallMs: wall * 1_000, cpuMs: (user + system) * 1_000 };
}

/** Starts a file of this folder that goes on until it is ended; resolves with the first line it prints. */
export async function started(file: string, task: unknown): Promise<{ child: ChildProcess; first: string }> {
  const child = spawn(process.execPath, [here(file), JSON.stringify(task)], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, first: line };
}

/** The agent as it is bundled for its image. */
export async function bundledAgent(): Promise<{ path: string; drop(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "context-edge-agent-"));
  const built = await rolldown({ input: here("../agent/main.ts"), platform: "node", logLevel: "silent" });
  await built.write({
    dir,
    format: "esm",
    minify: true,
    entryFileNames: "agent.mjs",
    chunkFileNames: "[name]-[hash].mjs",
  });
  await built.close();
  return { path: join(dir, "agent.mjs"), drop: () => rm(dir, { recursive: true, force: true }) };
}
