// How long to wait after failures: doubling, capped, with full jitter so that a fleet does not return in step.

export interface BackoffBounds {
  minMs: number;
  maxMs: number;
}

/** Waits between tries of an installation that failed for a passing reason. */
export const ATTEMPT_BACKOFF: BackoffBounds = { minMs: 2_000, maxMs: 15 * 60_000 };

/**
 * @param failures consecutive failures so far, at least 1
 * @param jitter 0 ≤ jitter < 1, drawn by the caller
 * @returns between half of the doubled delay and all of it
 */
export function nextDelayMs(failures: number, bounds: BackoffBounds, jitter: number): number {
  const doubled = Math.min(bounds.maxMs, bounds.minMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return Math.round(doubled * (0.5 + jitter / 2));
}

/** A server's `Retry-After` is obeyed, but no server can park a device for longer than this. */
export const RETRY_AFTER_CAP_MS = 10 * 60_000;

/** @param header seconds, or an HTTP date; @param now milliseconds since the epoch */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const waitMs = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - now;
  return Number.isFinite(waitMs) ? Math.min(RETRY_AFTER_CAP_MS, Math.max(0, waitMs)) : undefined;
}
