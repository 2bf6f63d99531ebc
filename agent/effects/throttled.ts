// Small things that many parts need of time: acting no more often than every so often, and knowing that a loop still turns.

/** @returns a function that calls `act` at once, and then not again until `everyMs` have passed */
export function throttled(everyMs: number, act: () => void): () => void {
  let last = -Infinity;
  return () => {
    const now = performance.now();
    if (now - last < everyMs) return;
    last = now;
    act();
  };
}

export interface Heartbeat {
  beat(): void;
  isAlive(): boolean;
}

/** @param withinMs without a beat for this long, whatever should beat stands still */
export function heartbeat(withinMs: number): Heartbeat {
  let last = performance.now();
  return {
    beat() {
      last = performance.now();
    },
    isAlive: () => performance.now() - last < withinMs,
  };
}
