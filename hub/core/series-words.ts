// Blocks as releases before 0013 packed them: `present;column;column…`, numbers of base 36, a column as its first value and the signed differences after it.
import type { SeriesKind } from "@context-edge/protocol";
import { COLUMNS } from "./series.ts";
import type { Cells } from "./series-pack.ts";

/** Days are kept for more than a year, so this is, too. @throws nothing: text that is none of ours gives no cells. */
export function unpackWords(kind: SeriesKind, text: string, fromMs: number, stepMs: number): Cells {
  const [mask = "0", ...columns] = text.split(";");
  const slots = slotsOf(parseInt(mask, 36));
  let known: number[] = [];
  const values = COLUMNS[kind].map((_, index) => {
    const column = columns[index] ?? "0";
    if (column !== "=") known = unpackColumn(column, slots.length);
    return known;
  });
  return new Map(slots.map((slot, index) => [fromMs + slot * stepMs, values.map((column) => column[index] ?? 0)]));
}

function unpackColumn(text: string, length: number): number[] {
  const parts = text.match(/[+-]?[0-9a-z]+/g) ?? ["0"];
  let value = parseInt(parts[0] ?? "0", 36);
  return Array.from({ length }, (_, index) => {
    if (index > 0) value += parseInt(parts[index] ?? "0", 36);
    return value;
  });
}

/** Which cells are there, from one number. */
export function slotsOf(present: number): number[] {
  const slots: number[] = [];
  for (let slot = 0; slot < 53; slot += 1) if (Math.floor(present / 2 ** slot) % 2 === 1) slots.push(slot);
  return slots;
}
