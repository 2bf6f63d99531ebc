// What every loop of the agent is about, and by when it will be done or say so again: whoever asks learns whether one stands still.
import type { ModelName } from "@context-edge/protocol";

export interface Vitals {
  /** `who` is now about `what`, and says something else or the same again within this time. */
  expect(who: string, what: string, withinMs: number): void;
  /** `who` waits for somebody who is expected himself, or is no more. */
  release(who: string): void;
  /** In words, what has stood still for longer than it said; null: everything moves. */
  stuck(): string | null;
}

/** Who a model's loop is. */
export const loopOf = (model: ModelName) => `the loop of ${model}`;

/** @param now a monotonic clock: neither a jump of the wall clock nor a suspended machine is standing still */
export function vitals(now: () => number = () => performance.now()): Vitals {
  const expected = new Map<string, { what: string; since: number; until: number }>();
  return {
    expect(who, what, withinMs) {
      const since = now();
      expected.set(who, { what, since, until: since + withinMs });
    },
    release(who) {
      expected.delete(who);
    },
    stuck() {
      const at = now();
      for (const [who, { what, since, until }] of expected) {
        if (at > until) return `${who} has been about "${what}" for ${Math.round((at - since) / 1_000)} s`;
      }
      return null;
    },
  };
}
