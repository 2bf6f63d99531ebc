// strace(1) for the sweeps: where it is, and a thread of a running process watched, or killed at one of its calls.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

export const STRACE = ["/usr/bin/strace", "/usr/local/bin/strace"].find((path) => existsSync(path));
if (STRACE === undefined) process.stderr.write("SKIPPED: the fault sweep needs strace (Debian's package `strace`).\n");

const ATTACH_MS = 10_000;

/** By name: `node-MainThread`, `libuv-worker`. */
export function threadsOf(pid: number): Map<string, number> {
  const ids = readdirSync(`/proc/${pid}/task`).map(Number);
  return new Map(ids.map((id) => [readFileSync(`/proc/${pid}/task/${id}/comm`, "utf8").trim(), id]));
}

/**
 * One thread alone: ordinals of calls are counted by thread, and only so they mean the same each time.
 * @returns a function that lets go and resolves when strace has ended.
 */
export async function attach(thread: number, options: readonly string[]): Promise<() => Promise<void>> {
  const tracer = spawn(STRACE ?? "", ["-qq", "-p", String(thread), ...options], { stdio: "ignore" });
  const ended = once(tracer, "exit");
  const endMs = performance.now() + ATTACH_MS;
  while (/^TracerPid:\t0$/m.test(readFileSync(`/proc/${thread}/status`, "utf8"))) {
    if (performance.now() > endMs) throw new Error("strace may not attach to a process here");
    await pause(10);
  }
  return async () => {
    tracer.kill("SIGINT");
    await ended;
  };
}
