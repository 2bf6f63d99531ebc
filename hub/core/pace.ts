// How long to wait before something is tried again. Chance is an argument.
export interface Pace {
  firstMs: number;
  longestMs: number;
}

const USUAL_PACE: Pace = { firstMs: 1_000, longestMs: 60_000 };

/**
 * How long to wait after so many failures in a row: doubled each time, and spread, so that replicas do not ask together.
 * @param jitter 0 to 1
 */
export function pauseAfterMs(failures: number, jitter: number, { firstMs, longestMs }: Pace = USUAL_PACE): number {
  if (failures <= 0) return 0;
  return Math.min(firstMs * 2 ** Math.min(failures - 1, 20), longestMs) * (0.5 + jitter / 2);
}
