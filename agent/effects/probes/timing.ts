// From single request times to the figures of a measurement.
import type { Measurement } from "@context-edge/protocol";

export interface Timed {
  /** Of good answers only; a timeout's time says nothing about the model. */
  timesMs: readonly number[];
  errors: number;
}

export function figuresOf({ timesMs, errors }: Timed): Omit<Measurement, "at" | "tags"> {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const sum = sorted.reduce((total, one) => total + one, 0);
  return {
    samples: sorted.length + errors,
    errors,
    mean_ms: sorted.length === 0 ? null : round(sum / sorted.length),
    p50_ms: percentile(sorted, 0.5),
    p95_ms: percentile(sorted, 0.95),
    max_ms: percentile(sorted, 1),
  };
}

/** Nearest rank: a time that was really measured, never one between two. */
function percentile(sorted: readonly number[], share: number): number | null {
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return value === undefined ? null : round(value);
}

const round = (value: number) => Number(value.toFixed(3));
