// What lists have in common: refusing a cursor that is not theirs, and looking for a part of a name.
import { ProblemError } from "../problem-error.ts";

export function badCursor(cursor: string): ProblemError {
  return new ProblemError("BAD_REQUEST", `The cursor ${JSON.stringify(cursor)} is not one of this list.`, {
    nextStep: "Start again without a cursor.",
  });
}

/** @param q in any case; undefined fits every name. */
export function isPartOf(q: string | undefined, name: string): boolean {
  return q === undefined || name.toLowerCase().includes(q.toLowerCase());
}
