// How cells are kept: one line of text per block of time, columns beside each other as differences, so that a minute costs a few bytes.
import type { Resolution, SeriesKind } from "@context-edge/protocol";
import { addCells, type Cell, COLUMNS } from "./series.ts";

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

/** `present;column;column…`: numbers of base 36, a column as its first value and the signed differences after it. */
export function pack(kind: SeriesKind, cells: ReadonlyMap<number, Cell>, fromMs: number, stepMs: number): string {
  const order = [...cells.keys()].toSorted((a, b) => a - b);
  const present = order.reduce((mask, atMs) => mask + 2 ** ((atMs - fromMs) / stepMs), 0);
  const columns = COLUMNS[kind].map((_, index) => order.map((atMs) => cells.get(atMs)?.[index] ?? 0));
  const texts = columns.map((values) => packColumn(values));
  return [present.toString(36), ...texts.map((text, index) => (text === texts[index - 1] ? "=" : text))].join(";");
}

function packColumn(values: readonly number[]): string {
  const [first = 0, ...rest] = values;
  if (rest.every((value) => value === first)) return first.toString(36);
  let previous = first;
  const differences = rest.map((value) => {
    const text = signed(value - previous);
    previous = value;
    return text;
  });
  return first.toString(36) + differences.join("");
}

const signed = (value: number) => (value < 0 ? value.toString(36) : `+${value.toString(36)}`);

/** @throws nothing: text that is none of ours gives no cells. */
export function unpack(kind: SeriesKind, text: string, fromMs: number, stepMs: number): Cells {
  const [mask = "0", ...columns] = text.split(";");
  const present = parseInt(mask, 36);
  const slots: number[] = [];
  for (let slot = 0; slot < 53; slot += 1) if (Math.floor(present / 2 ** slot) % 2 === 1) slots.push(slot);
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
