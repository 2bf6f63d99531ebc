// People's requests take turns: one is begun in a round of the event loop, and then devices have as long as it took, if they need it.

export interface TurnLimits {
  /** Under way at the same time. */
  atOnce: number;
  /** Whoever comes when so many wait is turned away. */
  mostWaiting: number;
  /** So is whoever has waited for so long. */
  patienceMs: number;
}

/** To be called when the work is done; again does no harm. */
type Done = () => void;

export interface Turns {
  /** At once where there is room. @returns null for whoever is turned away. */
  take(): Promise<Done | null>;
  waiting(): number;
}

type Waiter = (turn: Done | null) => void;

/** A round in which nothing came in takes no longer. */
const QUIET_MS = 0.05;

/**
 * The loop accepts one new connection a round (libuv's uv__server_io), so it is not enough that rounds are short: after a
 * request that took long there must be many, or a device that connects waits behind everybody who connected before it.
 */
export function takeTurns(limits: TurnLimits, nowMs = () => performance.now()): Turns {
  const queue = new Set<Waiter>();
  let running = 0;
  let hasBegun = false;
  let isRoundAhead = false;
  let restUntilMs = -Infinity;

  const isRoom = () => running < limits.atOnce && !hasBegun;
  const begin = (): Done => {
    running += 1;
    hasBegun = true;
    goRound();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      running -= 1;
      if (queue.size > 0) goRound();
    };
  };

  function goRound(): void {
    if (isRoundAhead) return;
    isRoundAhead = true;
    const sinceMs = nowMs();
    setImmediate(() => {
      isRoundAhead = false;
      const atMs = nowMs();
      const tookMs = atMs - sinceMs;
      if (hasBegun) restUntilMs = atMs + tookMs;
      else if (tookMs < QUIET_MS) restUntilMs = -Infinity;
      hasBegun = false;
      const [next] = queue;
      if (!next) return;
      if (atMs >= restUntilMs && isRoom()) {
        queue.delete(next);
        next(begin());
      } else if (running < limits.atOnce) goRound();
    });
  }

  return {
    take() {
      if (queue.size === 0 && isRoom()) return Promise.resolve(begin());
      if (queue.size >= limits.mostWaiting) return Promise.resolve(null);
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          queue.delete(go);
          resolve(null);
        }, limits.patienceMs);
        const go: Waiter = (turn) => {
          clearTimeout(timer);
          resolve(turn);
        };
        queue.add(go);
        goRound();
      });
    },
    waiting: () => queue.size,
  };
}
