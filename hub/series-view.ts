// What the series API shows: which resolution a range gets, and cells as the figures of a chart.
import {
  type LabelPoint,
  MOST_POINTS,
  type Rate,
  type Resolution,
  type SeriesKind,
  type SeriesPoint,
} from "@context-edge/protocol";
import { countLabels, wilsonInterval } from "./core/accuracy.ts";
import { type Cell, readCell } from "./core/series.ts";
import { floorTo, STEPS } from "./core/series-pack.ts";

const FINEST_FIRST: readonly Resolution[] = ["minute", "hour", "day"];

export interface Range {
  fromMs: number;
  toMs: number;
}

/** The finest of those offered that reaches back far enough and does not give too many points; else the coarsest. */
export function resolutionFor(
  { fromMs, toMs }: Range,
  keep: Record<Resolution, number>,
  nowMs: number,
  offered: readonly Resolution[] = FINEST_FIRST,
): Resolution {
  const fits = offered.find((resolution) => {
    const { stepMs } = STEPS[resolution];
    // A minute's grace, so that "the last 24 hours" asked by a page that loads slowly still gives minutes.
    const reaches = fromMs >= nowMs - keep[resolution] * stepMs - STEPS.minute.stepMs;
    return reaches && (toMs - fromMs) / stepMs <= MOST_POINTS;
  });
  return fits ?? "day";
}

/** The newest part of a range that an answer can hold. */
export function bounded({ fromMs, toMs }: Range, resolution: Resolution): Range & { truncated: boolean } {
  const { stepMs } = STEPS[resolution];
  const earliest = floorTo(stepMs, toMs - 1) - (MOST_POINTS - 1) * stepMs;
  return { fromMs: Math.max(fromMs, earliest), toMs, truncated: fromMs < earliest };
}

const iso = (atMs: number) => new Date(atMs).toISOString();
const mean = (sum: number, count: number, digits = 4) => (count === 0 ? null : Number((sum / count).toFixed(digits)));

const SHOW: Record<SeriesKind, (cell: Cell) => Omit<SeriesPoint, "at">> = {
  inference(cell) {
    const { predictions, errors, timed, latency } = readCell("inference", cell);
    const all = predictions + errors;
    return {
      predictions,
      errors,
      error_share: all === 0 ? null : errors / all,
      avg_ms: mean(latency / 100, timed),
    };
  },
  telemetry(cell) {
    const all = readCell("telemetry", cell);
    return {
      temperature_c: mean(all.heat / 10, all.heats, 1),
      temperature_max_c: all.heats === 0 ? null : all.hottest / 10,
      power_w: mean(all.power / 10, all.powers, 1),
      gpu_percent: mean(all.load, all.loads, 1),
      memory_used_bytes: mean(all.memory * 2 ** 20, all.memories, 0),
    };
  },
};

export function pointsOf(kind: SeriesKind, cells: ReadonlyMap<number, Cell>): SeriesPoint[] {
  return [...cells].toSorted(([a], [b]) => a - b).map(([atMs, cell]) => ({ at: iso(atMs), ...SHOW[kind](cell) }));
}

/** @param rows with `at` cut to the hour or the day. */
export function labelPointsOf(
  rows: readonly { at: string; predicted: string; actual: string; count: number }[],
): LabelPoint[] {
  const byTime = Map.groupBy(rows, ({ at }) => at);
  return [...byTime]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([at, group]) => {
      const counts = countLabels(group);
      return {
        at: `${at}${at.length === 10 ? "T00" : ""}:00:00.000Z`,
        labelled: counts.total,
        accuracy: rate(counts.correct, counts.total),
        false_positive: rate(counts.falsePositives, counts.actualNormal),
        false_negative: rate(counts.falseNegatives, counts.actualFailure),
      };
    });
}

function rate(part: number, whole: number): Rate {
  return { share: whole === 0 ? null : part / whole, ...wilsonInterval(part, whole) };
}
