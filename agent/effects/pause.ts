// Waiting that ends with the signal: monotonic, and an abort is an ordinary end of the wait.
import { setTimeout as delay } from "node:timers/promises";

export async function pause(forMs: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(Math.max(0, forMs), undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
