// Pages of history put together while new events keep coming.
import { expect, test } from "vitest";
import { anEvent } from "../testing/fixtures.ts";
import { append, prepend } from "./history.ts";

const page = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, index) => anEvent(from - index));
const ids = (events: readonly { id: number }[]) => events.map(({ id }) => id);

test("new events go on top, and older pages that were loaded stay", () => {
  expect(ids(prepend(page(7, 4), page(5, 1)))).toEqual([7, 6, 5, 4, 3, 2, 1]);
});

test("events that just touch are joined", () => {
  expect(ids(prepend(page(7, 6), page(5, 4)))).toEqual([7, 6, 5, 4]);
});

test("a gap is never shown as a whole history: the older events are let go", () => {
  const newest = page(20, 15);
  expect(prepend(newest, page(5, 1))).toBe(newest);
});

test("the first page stands alone", () => {
  const newest = page(3, 1);
  expect(prepend(newest, [])).toBe(newest);
});

test("an older page is put below, without what is there already", () => {
  expect(ids(append(page(9, 6), page(7, 4)))).toEqual([9, 8, 7, 6, 5, 4]);
  expect(ids(append([], page(2, 1)))).toEqual([2, 1]);
});
