// Compares answers with known answers: output by output, within the tolerance the release key signed.
import type { Evidence, Golden, Tensor, Tolerance } from "@context-edge/protocol";

/** `note`: what figures cannot tell, such as an output that is missing. */
export type GoldenFinding = NonNullable<Evidence["golden"]> & { note?: string };
type Sample = Golden["samples"][number];
export interface Deviation {
  /** How many times the tolerance; over 1 is outside. */
  excess: number;
  worst: NonNullable<NonNullable<Evidence["golden"]>["worst"]>;
  /** Empty when expected and actual are numbers a report can carry. */
  note: string;
}

/** For outputs whose tolerance the statement does not name. */
const DEFAULT_TOLERANCE: Tolerance = { absolute: 1e-4, relative: 1e-3 };

/** @param answers per sample, null when the service gave none */
export function compareGolden(golden: Golden, answers: readonly (readonly Tensor[] | null)[]): GoldenFinding {
  let failed = 0;
  let note = "";
  let furthest: Deviation | null = null;
  for (const [index, sample] of golden.samples.entries()) {
    const outputs = answers[index] ?? null;
    const deviation = outputs === null ? "the service did not answer" : deviationOf(sample, outputs, golden.tolerance);
    const isOutside = typeof deviation === "string" || (deviation !== null && deviation.excess > 1);
    if (!isOutside) continue;
    failed += 1;
    const words = typeof deviation === "string" ? deviation : deviation.note;
    if (note === "" && words !== "") note = `sample ${index + 1}: ${words}`;
    // What no report can carry as a number is told in words instead.
    if (typeof deviation === "string" || deviation.note !== "") continue;
    if (!furthest || deviation.excess > furthest.excess) furthest = deviation;
  }
  return {
    checked: golden.samples.length,
    failed,
    ...(furthest ? { worst: furthest.worst } : {}),
    ...(note === "" ? {} : { note }),
  };
}

/** @returns the element furthest outside, null for a sample without elements, or in words which output is not as expected. */
export function deviationOf(
  sample: Sample,
  outputs: readonly Tensor[],
  tolerances: Golden["tolerance"],
): Deviation | null | string {
  let furthest: Deviation | null = null;
  for (const expected of sample.outputs) {
    const actual = outputs.find((output) => output.name === expected.name);
    if (!actual) return `output ${expected.name} is missing`;
    if (!isSameShape(expected, actual)) {
      return `output ${expected.name} has shape [${actual.shape.join(", ")}], expected [${expected.shape.join(", ")}]`;
    }
    const tolerance = tolerances[expected.name] ?? DEFAULT_TOLERANCE;
    for (const [index, wanted] of expected.data.entries()) {
      const given = actual.data[index];
      const excess = excessOf(wanted, given, tolerance);
      if (furthest && excess <= furthest.excess) continue;
      const isTold = Number.isFinite(wanted) && Number.isFinite(given);
      const worst = { output: expected.name, index, expected: Number(wanted), actual: Number(given) };
      const note = isTold ? "" : `${expected.name}[${index}] was ${String(given)}, expected ${String(wanted)}`;
      furthest = { excess, worst, note: note.slice(0, 300) };
    }
  }
  return furthest;
}

/** The same numbers in another shape are another answer. */
function isSameShape(expected: Tensor, actual: Tensor): boolean {
  return (
    actual.data.length === expected.data.length &&
    actual.shape.length === expected.shape.length &&
    actual.shape.every((size, index) => size === expected.shape[index])
  );
}

function excessOf(expected: number | boolean | string, actual: unknown, { absolute, relative }: Tolerance): number {
  if (typeof expected !== "number" || typeof actual !== "number") return expected === actual ? 0 : Infinity;
  const allowed = absolute + relative * Math.abs(expected);
  const distance = Math.abs(actual - expected);
  if (distance === 0) return 0;
  // NaN is outside any tolerance.
  return allowed > 0 && distance <= Number.MAX_VALUE ? distance / allowed : Infinity;
}
