// The minimum-rate watchdog: ends a download whose link gives too little, also when it gives nothing at all.

export interface Floor {
  bytesPerS: number;
  /** Over how long the rate is taken. */
  windowMs: number;
}

export interface RateWatch {
  /** Bytes arrived. */
  count(bytes: number): void;
  /** Only time spent waiting for the link counts: neither a slow disk nor the bandwidth cap is the link's fault. */
  waiting<T>(arrival: Promise<T>): Promise<T>;
  stop(): void;
}

const TICKS_PER_WINDOW = 10;

/** @param giveUp called once, when a whole window of waiting brought fewer bytes than the floor */
export function watchRate({ bytesPerS, windowMs }: Floor, giveUp: () => void): RateWatch {
  let bytes = 0;
  let waitedMs = 0;
  let waitingSince: number | null = null;
  const settle = () => {
    const now = performance.now();
    if (waitingSince !== null) {
      waitedMs += now - waitingSince;
      waitingSince = now;
    }
    if (waitedMs < windowMs) return;
    if (bytes < (bytesPerS * waitedMs) / 1_000) giveUp();
    bytes = 0;
    waitedMs = 0;
  };
  const timer = setInterval(settle, windowMs / TICKS_PER_WINDOW);
  return {
    count(more) {
      bytes += more;
    },
    async waiting(arrival) {
      waitingSince = performance.now();
      try {
        return await arrival;
      } finally {
        waitedMs += performance.now() - waitingSince;
        waitingSince = null;
      }
    },
    stop: () => clearInterval(timer),
  };
}
