// Whether a device was throttled while it was timed, from the tags of the measurement: heat, over-current, clocks far down.
import type { Measurement } from "@context-edge/protocol";

/** This close to its trip point a junction is about to throttle, or does. */
const NEAR_TRIP_C = 5;
/** Below this share of its maximum the GPU's clock is not that of work. */
const LOW_CLOCK_SHARE = 0.6;

/**
 * Only what slows answers down is told here; it never excuses a wrong answer. A clock that is low in both measurements
 * is how this device works, and the ratio holds.
 * @param baseline to compare clocks with, null without one
 * @returns in words, or null when nothing speaks for it
 */
export function strainOf(measurement: Measurement, baseline: Measurement | null): string | null {
  const events = tag(measurement, "overcurrent_events");
  if (events !== null && events > 0) {
    return `${events} over-current events throttled the clocks during the run`;
  }
  const junction = tag(measurement, "junction_c");
  const trip = tag(measurement, "junction_trip_c");
  if (junction !== null && trip !== null && junction >= trip - NEAR_TRIP_C) {
    return `the junction was at ${junction.toFixed(1)} °C, its trip point is ${trip.toFixed(1)} °C`;
  }
  const clock = tag(measurement, "gpu_clock_share");
  const before = baseline && tag(baseline, "gpu_clock_share");
  const isLow = clock !== null && clock < LOW_CLOCK_SHARE;
  if (isLow && (before === null || before >= LOW_CLOCK_SHARE)) {
    return `the GPU's clock was at ${Math.round(clock * 100)} % of its maximum`;
  }
  return null;
}

function tag({ tags }: Measurement, name: string): number | null {
  const value = tags[name] === undefined ? Number.NaN : Number(tags[name]);
  return Number.isFinite(value) ? value : null;
}
