// Waiting for a condition, with a deadline, while telling how far it is.
import { setTimeout as wait } from "node:timers/promises";

/** @returns whether the condition came true before the deadline or the abort. */
export async function waitUntil(
  condition: () => Promise<boolean>,
  { deadlineMs, everyMs, signal }: { deadlineMs: number; everyMs: number; signal: AbortSignal },
): Promise<boolean> {
  const endMs = performance.now() + deadlineMs;
  while (performance.now() < endMs && !signal.aborted) {
    if (await condition()) return true;
    await wait(everyMs, undefined, { signal }).catch(() => undefined);
  }
  return false;
}
