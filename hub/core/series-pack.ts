// How cells are kept: one line of text per block of time, columns one after the other in as few bits as they need, so that a minute costs a few bytes.
import type { Resolution, SeriesKind } from "@context-edge/protocol";
import { bitReader, bitWriter } from "./bit-text.ts";
import { addCells, type Cell, COLUMNS } from "./series.ts";
import { slotsOf, unpackWords } from "./series-words.ts";

export interface Step {
  stepMs: number;
  /** Cells in one block, at most 53: which of them are there is one number. */
  slots: number;
}

/** A block of minutes is what is gathered in memory; of hours a day; of days about a month. */
export const STEPS: Record<Resolution, Step> = {
  minute: { stepMs: 60_000, slots: 15 },
  hour: { stepMs: 3_600_000, slots: 24 },
  day: { stepMs: 86_400_000, slots: 32 },
};

export const blockMs = (resolution: Resolution) => STEPS[resolution].stepMs * STEPS[resolution].slots;

/** The start of the block, or of the cell, that a moment lies in. */
export const floorTo = (spanMs: number, atMs: number) => Math.floor(atMs / spanMs) * spanMs;

/** Cells by their start in milliseconds since the epoch. */
export type Cells = Map<number, Cell>;

export function addInto(kind: SeriesKind, cells: Cells, atMs: number, cell: Cell): void {
  const known = cells.get(atMs);
  cells.set(atMs, known ? addCells(kind, known, cell) : cell);
}

/** Cells of a finer resolution gathered into those of a coarser one. */
export function rollUp(kind: SeriesKind, cells: ReadonlyMap<number, Cell>, stepMs: number): Cells {
  const coarse: Cells = new Map();
  for (const [atMs, cell] of cells) addInto(kind, coarse, floorTo(stepMs, atMs), cell);
  return coarse;
}

/** Before it: not what a block of earlier releases begins with, a number of base 36. */
const MARK = "~";
/** Where a column's head would say "differences of no bits": it is the same as the one before. */
const SAME = 1;
/** Differences are worth it for what drifts, not for what jumps; and wider ones would not be whole numbers any more. */
const WIDEST_DIFFERENCE = 31;
/** Nothing written is wider: what says so is no block of ours. */
const WIDEST = 54;

/**
 * `~` and bits: which cells are there, then the columns. A column is its head (twice the bits of a value, one more where the values
 * are differences to the one before), the first value in case of differences, the least value, and each value above that.
 */
export function pack(kind: SeriesKind, cells: ReadonlyMap<number, Cell>, fromMs: number, stepMs: number): string {
  const order = [...cells.keys()].toSorted((a, b) => a - b);
  const bits = bitWriter();
  bits.putNumber(order.reduce((mask, atMs) => mask + 2 ** ((atMs - fromMs) / stepMs), 0));
  let before: number[] = [];
  for (const index of COLUMNS[kind].keys()) {
    const values = order.map((atMs) => cells.get(atMs)?.[index] ?? 0);
    if (index > 0 && values.every((value, place) => value === before[place])) bits.putNumber(SAME);
    else packColumn(bits, values);
    before = values;
  }
  return MARK + bits.end();
}

function packColumn(bits: ReturnType<typeof bitWriter>, values: readonly number[]): void {
  const [first = 0] = values;
  const differences = values.slice(1).map((value, index) => value - (values[index] ?? 0));
  const [plain, drift] = [spanOf(values), spanOf(differences)];
  const putSigned = (value: number) => {
    bits.put(value < 0 ? 1 : 0, 1);
    bits.putNumber(Math.abs(value));
  };
  if (drift.width > 0 && drift.width < plain.width && drift.width <= WIDEST_DIFFERENCE) {
    bits.putNumber(drift.width * 2 + 1);
    putSigned(first);
    putSigned(drift.least);
    for (const value of differences) bits.put(value - drift.least, drift.width);
  } else {
    bits.putNumber(plain.width * 2);
    putSigned(plain.least);
    for (const value of values) bits.put(value - plain.least, plain.width);
  }
}

function spanOf(values: readonly number[]): { least: number; width: number } {
  if (values.length === 0) return { least: 0, width: 0 };
  const least = Math.min(...values);
  const most = Math.max(...values) - least;
  let width = 0;
  while (2 ** width <= most) width += 1;
  return { least, width };
}

/** @throws nothing: text that is none of ours gives no cells, or cells of nonsense. */
export function unpack(kind: SeriesKind, text: string, fromMs: number, stepMs: number): Cells {
  if (!text.startsWith(MARK)) return unpackWords(kind, text, fromMs, stepMs);
  const bits = bitReader(text.slice(MARK.length));
  const slots = slotsOf(bits.takeNumber());
  let column: number[] = [];
  const columns = COLUMNS[kind].map(() => {
    const head = bits.takeNumber();
    if (head !== SAME) column = unpackColumn(bits, head, slots.length);
    return column;
  });
  return new Map(slots.map((slot, place) => [fromMs + slot * stepMs, columns.map((values) => values[place] ?? 0)]));
}

function unpackColumn(bits: ReturnType<typeof bitReader>, head: number, length: number): number[] {
  const width = Math.min(WIDEST, Math.floor(head / 2));
  const takeSigned = () => (bits.take(1) === 1 ? -bits.takeNumber() : bits.takeNumber());
  if (head % 2 === 0) {
    const least = takeSigned();
    return Array.from({ length }, () => least + bits.take(width));
  }
  let value = takeSigned();
  const least = takeSigned();
  return Array.from({ length }, (_, place) => (place === 0 ? value : (value += least + bits.take(width))));
}
