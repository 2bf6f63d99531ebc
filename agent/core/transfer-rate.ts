// How fast a file comes in and how long it will take: smoothed, so that a reader sees a figure and not a flicker.

export interface Transfer {
  bytes: number;
  /** Smoothed over the last seconds; null until there is something to tell it from. */
  rateBytesPerS: number | null;
  /** Seconds until the file is whole at this rate, rounded up; null while the rate is unknown or nothing comes. */
  leftS: number | null;
}

export interface Sample {
  bytes: number;
  atMs: number;
  rateBytesPerS: number | null;
}

/** A change of speed is two thirds visible after this long. */
const SMOOTHING_MS = 5_000;
/** Bytes that arrive within a shorter time say more about buffers than about the link. */
export const LEAST_INTERVAL_MS = 250;

/** @returns the sample to compare the next one with; `before` itself while too little time went by */
export function nextSample(before: Sample, bytes: number, atMs: number): Sample {
  const elapsedMs = atMs - before.atMs;
  if (elapsedMs < LEAST_INTERVAL_MS) return before;
  const rate = ((bytes - before.bytes) / elapsedMs) * 1_000;
  const weight = 1 - Math.exp(-elapsedMs / SMOOTHING_MS);
  const smoothed = before.rateBytesPerS === null ? rate : before.rateBytesPerS + weight * (rate - before.rateBytesPerS);
  return { bytes, atMs, rateBytesPerS: smoothed };
}

export function transfer(bytes: number, sizeBytes: number, { rateBytesPerS }: Sample): Transfer {
  const isMoving = rateBytesPerS !== null && rateBytesPerS >= 1;
  return {
    bytes,
    rateBytesPerS: rateBytesPerS === null ? null : Math.round(rateBytesPerS),
    leftS: isMoving ? Math.ceil((sizeBytes - bytes) / rateBytesPerS) : null,
  };
}
