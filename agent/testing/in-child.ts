// Runs `download-child.ts` with an environment, a limit or a tracer of its own, and reads what it prints.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("download-child.ts", import.meta.url));
export const STRACE = ["/usr/bin/strace", "/usr/local/bin/strace"].find((path) => existsSync(path));

export interface ChildTask {
  what: "download" | "request";
  url: string;
  partPath?: string;
  sizeBytes?: number;
  reserveBytes?: number;
  exhaustFiles?: boolean;
}
export interface ChildResult {
  ok: boolean;
  code?: string;
  mishap?: { code: string; message: string; kind: string };
}

/** @param under words before the command, such as a tracer with its options */
export async function inChild(
  task: ChildTask,
  environment: Record<string, string> = {},
  under: readonly string[] = [],
): Promise<ChildResult[]> {
  const words = [...under, process.execPath, CHILD, JSON.stringify(task)];
  const env = { PATH: process.env["PATH"], UV_THREADPOOL_SIZE: "1", ...environment };
  const child = spawn(words[0] ?? "", words.slice(1), { env, stdio: ["ignore", "pipe", "pipe"], timeout: 30_000 });
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  if (output === "") throw new Error(`the child said nothing but: ${complaints.slice(-2_000)}`);
  return JSON.parse(output) as ChildResult[];
}

/** errno injected into the n-th of these calls and all later ones. */
export function injecting(calls: string, errno: string, when: string): string[] {
  return [
    STRACE ?? "",
    "-f",
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    `trace=${calls}`,
    "-e",
    `inject=${calls}:error=${errno}:when=${when}`,
  ];
}
