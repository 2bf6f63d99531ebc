// The device's time: never before the last signed time, and going on from there when the real clock stands in 1970.

/** No agent of this source is older; a clock before it is wrong. Milliseconds since the epoch. */
const BUILT_AT = Date.UTC(2026, 10, 1);

export interface Clock {
  /** Milliseconds since the epoch, for ordering and for people; never for measuring. */
  now(): number;
  /** A signed document names this instant: it is at least as late as that. */
  learn(signedAt: number): void;
  /** False while the machine's own clock is behind what is known. */
  isPlausible(): boolean;
}

/**
 * A Jetson without a battery starts in 1970 and may stay there for weeks without a network. What was learned goes on at
 * the pace of the monotonic clock, so that holds end and windows open all the same.
 * @param wall milliseconds since the epoch; @param monotonic milliseconds since anything
 */
export function deviceClock(wall: () => number, monotonic: () => number): Clock {
  let known = { at: BUILT_AT, monotonic: monotonic() };
  const floor = () => known.at + (monotonic() - known.monotonic);
  return {
    now: () => Math.max(wall(), Math.floor(floor())),
    learn(signedAt) {
      if (signedAt > floor()) known = { at: signedAt, monotonic: monotonic() };
    },
    // A second of grace: signed times come from another machine's clock.
    isPlausible: () => wall() + 60_000 >= floor(),
  };
}
