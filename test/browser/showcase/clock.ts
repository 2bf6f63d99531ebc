// A hub's clock that a story turns: it begins in the past and ends in the present, and never goes back.
export interface StoryClock {
  now(): number;
  /** Milliseconds to go on by, at most up to the present. */
  advance(ms: number): void;
  /** From here on it is the machine's own. */
  arrive(): void;
}

export function startStory(beforeMs: number): StoryClock {
  let atMs: number | null = Date.now() - beforeMs;
  return {
    now: () => atMs ?? Date.now(),
    advance(ms) {
      if (atMs !== null) atMs = Math.min(atMs + ms, Date.now());
    },
    arrive() {
      atMs = null;
    },
  };
}
