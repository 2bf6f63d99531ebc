// The hub's commands as an operator runs them, processes of their own; and within the test's process, where only what they say counts.
import { execFile, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Command, EXIT } from "../commands/command.ts";
import type { HubConfig } from "../config.ts";
import { StoreRefusal } from "../store/refusal.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

export interface Ended {
  /** Null when a signal ended it. */
  code: number | null;
  out: string;
  err: string;
}

/** @param wrapper stands before the command, such as strace with its own words */
export function runHub(
  words: readonly string[],
  env: Record<string, string>,
  {
    wrapper = [],
    onStart = () => undefined,
  }: { wrapper?: readonly string[]; onStart?: (child: ChildProcess) => void } = {},
): Promise<Ended> {
  const [program = process.execPath, ...rest] = [...wrapper, process.execPath, MAIN, ...words];
  return new Promise((resolve) => {
    const child = execFile(program, rest, { env: { ...process.env, ...env } }, (_error, out, err) => {
      resolve({ code: child.exitCode, out, err });
    });
    onStart(child);
  });
}

/** What `main` makes of a refusal is made of it here as well. */
export async function runHere(command: Command, config: HubConfig, words: readonly string[]): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  const say = (line: string) => void out.push(line);
  const fail = (line: string) => void err.push(line);
  const code = await command({ config, words, say, fail }).catch((error: unknown) => {
    if (!(error instanceof StoreRefusal)) throw error;
    fail(`${error.message} ${error.nextStep}`);
    return EXIT.wrong;
  });
  return { code, out: out.join("\n"), err: err.join("\n") };
}
