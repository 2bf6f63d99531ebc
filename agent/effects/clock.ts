// The device's time: never before the last signed time, and going on from there when the real clock stands in 1970.

/** No agent of this source is older; a clock before it is wrong. Milliseconds since the epoch. */
const BUILT_AT = Date.UTC(2026, 10, 1);

export interface Clock {
  /** Milliseconds since the epoch, for ordering and for people; never for measuring. */
  now(): number;
  /** The same from what this device has by itself: no document of the hub moves it. */
  own(): number;
  /** A signed document names this instant: it is at least as late as that. */
  learn(signedAt: number): void;
  /** The hub, whose clock was ahead, dates a later document earlier: what was learned before does not count any more. */
  unlearn(signedAt: number): void;
  /** False while the machine's own clock is behind what is known. */
  isPlausible(): boolean;
}

/**
 * A Jetson without a battery starts in 1970 and may stay there for weeks without a network. What was learned goes on at
 * the pace of the monotonic clock, so that holds end and windows open all the same.
 * @param wall milliseconds since the epoch; @param monotonic milliseconds since anything
 */
export function deviceClock(wall: () => number, monotonic: () => number): Clock {
  const built = { at: BUILT_AT, monotonic: monotonic() };
  let known = built;
  const since = (instant: typeof built) => Math.floor(instant.at + (monotonic() - instant.monotonic));
  const own = () => Math.max(wall(), since(built));
  return {
    now: () => Math.max(own(), since(known)),
    own,
    learn(signedAt) {
      if (signedAt > since(known)) known = { at: signedAt, monotonic: monotonic() };
    },
    unlearn(signedAt) {
      known = { at: signedAt, monotonic: monotonic() };
    },
    // A minute of grace: signed times come from another machine's clock.
    isPlausible: () => wall() + 60_000 >= Math.max(since(built), since(known)),
  };
}
