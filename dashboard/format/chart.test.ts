// What a chart is given: columns that fit each other, holes that stay holes, and a true sentence.
import { describe, expect, test } from "vitest";
import { alignedColumns, chartInWords, isEmpty, placeLabels, type Line } from "./chart.ts";

const MINUTE = 60_000;
const line = (label: string, points: Line["points"], band?: Line["band"]): Line => ({
  label,
  colour: 1,
  points,
  ...(band ? { band } : {}),
});

test("lines of different times share one axis, each with its own gaps", () => {
  const before = line("v2.0", [
    [0, 8],
    [MINUTE, 9],
  ]);
  const after = line("v2.1", [
    [MINUTE, 7],
    [2 * MINUTE, null],
    [3 * MINUTE, 6],
  ]);
  expect(alignedColumns([before, after], MINUTE)).toEqual([
    [0, 60, 120, 180],
    [8, 9, null, null],
    [null, 7, null, 6],
  ]);
});

test("an hour without a word is a hole, and two minutes late is not", () => {
  const told = [0, 1, 2, 4, 64].map((minute) => [minute * MINUTE, minute] as const);
  const [times, values] = alignedColumns([line("a", told)], MINUTE);
  expect(times).toEqual([0, 60, 120, 240, 300, 3_840]);
  expect(values).toEqual([0, 1, 2, 4, null, 64]);
});

test("who reports every ten minutes has no hole between two reports", () => {
  const told = [0, 10, 20, 30].map((minute) => [minute * MINUTE, minute] as const);
  expect(alignedColumns([line("a", told)], MINUTE)[1]).toEqual([0, 10, 20, 30]);
});

test("a band comes along as two columns more", () => {
  const banded = line("accuracy", [[0, 0.9]], [[0.85, 0.94]]);
  expect(alignedColumns([banded], MINUTE)).toEqual([[0], [0.9], [0.85], [0.94]]);
});

test("the sentence has the least, the most and the last, and says where there is nothing", () => {
  const words = chartInWords(
    [
      line("v2.1", [
        [0, 8],
        [1, 9],
        [2, 8.5],
      ]),
      line("v2.0", [[0, null]]),
    ],
    (value) => `${value} ms`,
  );
  expect(words).toBe("v2.1: 8 ms to 9 ms, last 8.5 ms. v2.0: no figures yet.");
  expect(isEmpty([line("v2.0", [[0, null]]), line("none", [])])).toBe(true);
});

describe("names of marks", () => {
  const widthOf = (text: string) => text.length * 6;
  test("that stand apart are each where their mark is; the last keeps inside", () => {
    const marks = [
      { x: 10, label: "v2.1 in" },
      { x: 100, label: "v2.1 back" },
      { x: 280, label: "v2.2 in" },
    ];
    expect(placeLabels(marks, widthOf, 300)).toEqual([
      { x: 10, text: "v2.1 in", align: "left" },
      { x: 100, text: "v2.1 back", align: "left" },
      { x: 280, text: "v2.2 in", align: "right" },
    ]);
  });
  test("that would cover each other become one, without saying the same twice", () => {
    const marks = ["v2.3 in", "v2.3 back", "v2.3 in"].map((label, index) => ({ x: 50 + index, label }));
    expect(placeLabels(marks, widthOf, 300)).toEqual([{ x: 50, text: "v2.3 in, v2.3 back", align: "left" }]);
  });
});
