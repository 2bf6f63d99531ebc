// The agent under strace: which of its system calls touch its disk, and dying at any one of them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestDevice } from "@context-edge/agent/testing/test-device.ts";
import { STRACE } from "./strace.ts";

const MAIN = fileURLToPath(new URL("../../agent/main.ts", import.meta.url));
/** Everything that changes a disk. */
const CALLS = "write,pwrite64,pwritev,ftruncate,fchmod,fsync,fdatasync,rename,symlink,link,unlink";

/** One place to die: before the `ordinal`-th `call` that names one of the device's own paths. */
export interface Place {
  call: string;
  ordinal: number;
  /** For the reader. */
  path: string;
}

/** @returns whether the process was killed rather than finished */
export async function onceUnderStrace(device: TestDevice, options: readonly string[]): Promise<boolean> {
  const argv = ["-f", "-qq", "-y", "-s", "200", "-o", traceFile(device), ...options, process.execPath, MAIN, "once"];
  // One thread for the disk: the calls come in the same order every time, and are counted by thread.
  const env = { ...process.env, ...device.environment, UV_THREADPOOL_SIZE: "1" };
  const child = spawn(STRACE ?? "", argv, { env, stdio: "ignore" });
  const [, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return signal === "SIGKILL";
}

const traceFile = ({ dir }: TestDevice) => join(dirname(dir), "trace.txt");

/** Runs the agent once and looks at what it does to its directory, in order. */
export async function placesOf(device: TestDevice): Promise<Place[]> {
  await onceUnderStrace(device, ["-e", `trace=${CALLS}`]);
  const lines = (await readFile(traceFile(device), "utf8")).split("\n");
  const counts = new Map<string, number>();
  return lines.flatMap((line) => {
    const call = /^\d+ +(\w+)\(/.exec(line)?.[1];
    const path = pathIn(line, device.dir);
    if (call === undefined || path === null) return [];
    const ordinal = (counts.get(call) ?? 0) + 1;
    counts.set(call, ordinal);
    return [{ call, ordinal, path }];
  });
}

/** @returns relative to the device's directory; `.` for itself, null for anything outside */
function pathIn(line: string, dir: string): string | null {
  if (line.includes(`<${dir}>`)) return ".";
  const at = line.indexOf(`${dir}/`);
  return at < 0 ? null : (/^[^">]+/.exec(line.slice(at + dir.length + 1))?.[0] ?? null);
}

/** Dies before that very call. @param places all of them: only calls on their paths are counted */
export function dieAt(device: TestDevice, { call, ordinal }: Place, places: readonly Place[]): Promise<boolean> {
  const paths = [...new Set(places.map(({ path }) => join(device.dir, path)))];
  const only = paths.flatMap((path) => ["-P", path]);
  const inject = `inject=${call}:signal=SIGKILL:when=${ordinal}`;
  return onceUnderStrace(device, [...only, "-e", `trace=${call}`, "-e", inject]);
}
