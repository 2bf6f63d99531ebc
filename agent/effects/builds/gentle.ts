// A build must not take the device from what runs on it: last in line for processor and disk, first to go when memory runs out.
import { runCommand } from "../run-command.ts";

/**
 * Each runs the words behind it, in the same process. `setpriv` ends the build with the agent, however that ends: two of
 * them at once would not fit.
 */
const WRAPPERS: readonly (readonly string[])[] = [
  ["nice", "-n", "19"],
  ["ionice", "-c", "3"],
  ["choom", "-n", "1000", "--"],
  ["setpriv", "--pdeathsig", "KILL"],
];

/** @returns the words that stand before the program's, of those this machine has and allows */
export async function gentleWords(signal: AbortSignal): Promise<string[]> {
  const words: string[] = [];
  for (const wrapper of WRAPPERS) {
    const end = await runCommand([...wrapper, "true"], { deadlineMs: 5_000, environment: {}, signal });
    if (end.exitCode === 0) words.push(...wrapper);
  }
  return words;
}
