// The bandwidth cap: one for all downloads of a device, smooth, and without a timer while nothing is fetched.

export interface Pace {
  /**
   * Accounts for bytes that came in.
   * @param now monotonic milliseconds
   * @returns milliseconds to wait before the next may be asked for
   */
  spend(bytes: number, now: number): number;
}

/**
 * A token bucket kept as the instant at which it is full again (the generic cell rate algorithm): what was spent is paid for
 * with waiting, whoever spent it, so that several downloads share one cap.
 * @param maxBytesPerS null: as fast as it comes
 */
export function pace(maxBytesPerS: number | null): Pace {
  let paidUntil = -Infinity;
  return {
    spend(bytes, now) {
      if (maxBytesPerS === null) return 0;
      paidUntil = Math.max(now, paidUntil) + (bytes / maxBytesPerS) * 1_000;
      return paidUntil - now;
    },
  };
}
