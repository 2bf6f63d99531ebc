// A bell that wakes the loop: rung any number of times before it is heard, it counts once.
export interface Bell {
  ring(): void;
  /** Resolves when the bell was rung since the last hearing, after `withinMs`, or when `signal` aborts. */
  heard(withinMs: number, signal: AbortSignal): Promise<void>;
}

/** Node's timers take no longer delay. */
const LONGEST_MS = 2 ** 31 - 1;

export function bell(): Bell {
  let isRung = false;
  let wake: (() => void) | null = null;
  return {
    ring() {
      isRung = true;
      wake?.();
    },
    heard(withinMs, signal) {
      return new Promise((resolve) => {
        const finish = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", finish);
          wake = null;
          isRung = false;
          resolve();
        };
        const timer = setTimeout(finish, Math.min(LONGEST_MS, Math.max(0, withinMs)));
        signal.addEventListener("abort", finish, { once: true });
        wake = finish;
        if (isRung || signal.aborted) finish();
      });
    },
  };
}
