// Labelled accuracy from a confusion of counts, with the interval that says how much the labels can prove.
import { NORMAL_CLASS } from "@context-edge/protocol";

/** Labelled predictions by truth: positive is any class but `normal`. */
export interface LabelCounts {
  total: number;
  correct: number;
  actualNormal: number;
  /** Truly normal, predicted as some failure. */
  falsePositives: number;
  actualFailure: number;
  /** Truly a failure, predicted as normal. */
  falseNegatives: number;
}

export const NO_LABELS: LabelCounts = {
  total: 0,
  correct: 0,
  actualNormal: 0,
  falsePositives: 0,
  actualFailure: 0,
  falseNegatives: 0,
};

/** @param rows how often each pair of predicted and actual class occurred. */
export function countLabels(rows: readonly { predicted: string; actual: string; count: number }[]): LabelCounts {
  const counts = { ...NO_LABELS };
  for (const { predicted, actual, count } of rows) {
    counts.total += count;
    if (predicted === actual) counts.correct += count;
    if (actual === NORMAL_CLASS) {
      counts.actualNormal += count;
      if (predicted !== NORMAL_CLASS) counts.falsePositives += count;
    } else {
      counts.actualFailure += count;
      if (predicted === NORMAL_CLASS) counts.falseNegatives += count;
    }
  }
  return counts;
}

export const accuracyOf = (counts: LabelCounts) => share(counts.correct, counts.total);
export const falsePositiveRate = (counts: LabelCounts) => share(counts.falsePositives, counts.actualNormal);
export const falseNegativeRate = (counts: LabelCounts) => share(counts.falseNegatives, counts.actualFailure);

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

export interface Interval {
  low: number;
  high: number;
}

/** Wilson's score interval for a share, 95 % by default: honest for few samples and near 0 or 1, where the naive one is not. */
export function wilsonInterval(part: number, whole: number, z = 1.96): Interval {
  if (whole === 0) return { low: 0, high: 1 };
  const p = part / whole;
  const spread = (z * Math.sqrt((p * (1 - p)) / whole + (z * z) / (4 * whole * whole))) / (1 + (z * z) / whole);
  const centre = (p + (z * z) / (2 * whole)) / (1 + (z * z) / whole);
  return { low: Math.max(0, centre - spread), high: Math.min(1, centre + spread) };
}
