// Is it slower than the version before, on the very devices that ran both?
import type { GateCondition, GatePolicy } from "@context-edge/protocol";
import { devices, milliseconds } from "./say.ts";

/** Milliseconds at the 95th percentile, measured by one device minutes apart. */
export interface Pair {
  before: number;
  after: number;
}

/** The device in the middle decides: one device with a bad minute proves nothing about a version. */
export function judgeLatency(
  { max_p95_ratio: ratio, p95_floor_ms: floor }: Pick<GatePolicy, "max_p95_ratio" | "p95_floor_ms">,
  pairs: readonly Pair[],
): GateCondition {
  if (pairs.length === 0) {
    const detail = "no device has measured both this version and the one before";
    return { name: "latency", verdict: "inconclusive", detail, evidence: { devices: 0 } };
  }
  // How far each is over its own limit; negative is within.
  const excess = median(pairs.map(({ before, after }) => after - (before * ratio + floor)));
  const before = median(pairs.map((pair) => pair.before));
  const after = median(pairs.map((pair) => pair.after));
  const slower = pairs.filter((pair) => pair.after > pair.before * ratio + floor).length;
  const outliers = slower > 0 && excess <= 0 ? `; ${devices(slower)} slower than allowed` : "";
  return {
    name: "latency",
    verdict: excess > 0 ? "fail" : "pass",
    detail: `p95 ${milliseconds(after)}, before ${milliseconds(before)} (median of ${devices(pairs.length)} that measured both)${outliers}`,
    evidence: {
      devices: pairs.length,
      p95_ms: after,
      earlier_p95_ms: before,
      max_ratio: ratio,
      floor_ms: floor,
      slower,
    },
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
