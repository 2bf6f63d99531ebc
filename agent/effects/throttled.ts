// Acting no more often than every so often.

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
