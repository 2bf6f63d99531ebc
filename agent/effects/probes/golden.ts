// Compares answers with known answers: output by output, within the tolerance the release key signed.
import type { Evidence, Golden, Tensor, Tolerance } from "@context-edge/protocol";

type GoldenEvidence = NonNullable<Evidence["golden"]>;
type Sample = Golden["samples"][number];
export interface Deviation {
  /** How many times the tolerance; over 1 is outside. */
  excess: number;
  worst: NonNullable<GoldenEvidence["worst"]>;
}

/** For outputs whose tolerance the statement does not name. */
const DEFAULT_TOLERANCE: Tolerance = { absolute: 1e-4, relative: 1e-3 };

/** @param answers per sample, null when the service gave none */
export function compareGolden(golden: Golden, answers: readonly (readonly Tensor[] | null)[]): GoldenEvidence {
  let failed = 0;
  let furthest: Deviation | null = null;
  for (const [index, sample] of golden.samples.entries()) {
    const outputs = answers[index] ?? null;
    const deviation = outputs === null ? "missing" : deviationOf(sample, outputs, golden.tolerance);
    if (deviation === "missing") failed += 1;
    else if (deviation && deviation.excess > 1) {
      failed += 1;
      if (!furthest || deviation.excess > furthest.excess) furthest = deviation;
    }
  }
  return { checked: golden.samples.length, failed, ...(furthest ? { worst: furthest.worst } : {}) };
}

/** @returns the element furthest outside, null for a sample without elements, `missing` when an output is not there as expected. */
export function deviationOf(
  sample: Sample,
  outputs: readonly Tensor[],
  tolerances: Golden["tolerance"],
): Deviation | null | "missing" {
  let furthest: Deviation | null = null;
  for (const expected of sample.outputs) {
    const actual = outputs.find((output) => output.name === expected.name);
    if (!actual || actual.data.length !== expected.data.length) return "missing";
    const tolerance = tolerances[expected.name] ?? DEFAULT_TOLERANCE;
    for (const [index, wanted] of expected.data.entries()) {
      const excess = excessOf(wanted, actual.data[index], tolerance);
      if (furthest && excess <= furthest.excess) continue;
      const worst = { output: expected.name, index, expected: numeric(wanted), actual: numeric(actual.data[index]) };
      furthest = { excess, worst };
    }
  }
  return furthest;
}

function excessOf(expected: number | boolean | string, actual: unknown, { absolute, relative }: Tolerance): number {
  if (typeof expected !== "number" || typeof actual !== "number") return expected === actual ? 0 : Infinity;
  const allowed = absolute + relative * Math.abs(expected);
  const distance = Math.abs(actual - expected);
  if (distance === 0) return 0;
  // NaN is outside any tolerance.
  return allowed > 0 && distance <= Number.MAX_VALUE ? distance / allowed : Infinity;
}

function numeric(value: unknown): number {
  const number = Number(value);
  return Number.isFinite(number) ? number : 0;
}
