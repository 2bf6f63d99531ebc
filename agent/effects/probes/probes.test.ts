// The parts of a probe that judge by numbers: golden comparison, percentiles, and inputs made from metadata.
import type { Golden, ModelMetadata } from "@context-edge/protocol";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareGolden } from "./golden.ts";
import { inputsFor } from "./synthesis.ts";
import { figuresOf } from "./timing.ts";

const tensor = (name: string, data: number[]) => ({ name, datatype: "FP32", shape: [data.length], data });
const golden: Golden = {
  tolerance: { y: { absolute: 0.1, relative: 0.1 } },
  samples: [{ inputs: [tensor("x", [1])], outputs: [tensor("y", [10, 0])] }],
};
const compared = (...data: number[]) => compareGolden(golden, [[tensor("y", data)]]);

test.each([
  ["equal", [10, 0], 0],
  ["at the edge of absolute plus relative", [11.1, 0.1], 0],
  ["just outside", [11.11, 0], 1],
  ["not a number", [Number.NaN, 0], 1],
  ["too short", [10], 1],
])("an answer that is %s fails %s", (_what, data, failed) => {
  expect(compared(...data)).toMatchObject({ checked: 1, failed });
});

test("the furthest deviation is shown, and no answer at all is a failure", () => {
  expect(compared(10, 7).worst).toEqual({ output: "y", index: 1, expected: 0, actual: 7 });
  expect(compareGolden(golden, [null])).toEqual({
    checked: 1,
    failed: 1,
    note: "sample 1: the service did not answer",
  });
  const other = compareGolden(golden, [[tensor("z", [10, 0])]]);
  expect(other).toEqual({ checked: 1, failed: 1, note: "sample 1: output y is missing" });
});

test("the right numbers in another shape are a wrong answer", () => {
  const wide = { ...tensor("y", [1, 2]), shape: [1, 2] };
  const asked = { ...golden, samples: [{ inputs: [tensor("x", [1])], outputs: [wide] }] };
  expect(compareGolden(asked, [[wide]])).toEqual({ checked: 1, failed: 0 });
  expect(compareGolden(asked, [[{ ...wide, shape: [2, 1] }]])).toMatchObject({ failed: 1 });
  const reshaped = { ...tensor("y", [10, 0]), shape: [1, 2] };
  expect(compareGolden(golden, [[reshaped]])).toEqual({
    checked: 1,
    failed: 1,
    note: "sample 1: output y has shape [1, 2], expected [2]",
  });
});

test.each([
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "Infinity"],
])("%s is told in words, for no report can carry it as a number", (value, word) => {
  const found = compared(10, value);
  expect(found).toEqual({ checked: 1, failed: 1, note: `sample 1: y[1] was ${word}, expected 0` });
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});

test("each output has its own tolerance, text and truth must be equal, and more samples than one batch are all checked", () => {
  const outputs = [
    tensor("loose", [10]),
    tensor("tight", [10]),
    { name: "label", datatype: "BYTES", shape: [1], data: ["cat"] },
    { name: "sure", datatype: "BOOL", shape: [1], data: [true] },
  ];
  const many: Golden = {
    tolerance: { loose: { absolute: 1, relative: 0 }, tight: { absolute: 0.01, relative: 0 } },
    samples: Array.from({ length: 40 }, () => ({ inputs: [tensor("x", [1])], outputs })),
  };
  const answer = (changed: Partial<Record<string, unknown[]>>) =>
    outputs.map((output) => ({ ...output, data: (changed[output.name] ?? output.data) as typeof output.data }));
  const answers = many.samples.map(() => answer({ loose: [10.9], tight: [10.009] }));
  expect(compareGolden(many, answers)).toEqual({ checked: 40, failed: 0 });
  answers[3] = answer({ tight: [10.5] });
  answers[39] = answer({ label: ["dog"] });
  answers[17] = answer({ sure: [false] });
  expect(compareGolden(many, answers)).toMatchObject({
    checked: 40,
    failed: 3,
    worst: { output: "tight", actual: 10.5 },
  });
});

test("percentiles are times that were measured, in order, whatever the times", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 1 }),
      fc.nat(9),
      (timesMs, errors) => {
        const { p50_ms: p50, p95_ms: p95, max_ms: max, samples } = figuresOf({ timesMs, errors });
        return (
          samples === timesMs.length + errors &&
          p50 !== null &&
          p95 !== null &&
          max !== null &&
          p50 <= p95 &&
          p95 <= max
        );
      },
    ),
  );
  expect(figuresOf({ timesMs: Array.from({ length: 100 }, (_unused, index) => index + 1), errors: 0 })).toMatchObject({
    p50_ms: 50,
    p95_ms: 95,
  });
  expect(figuresOf({ timesMs: [], errors: 3 })).toMatchObject({ samples: 3, p95_ms: null });
});

const metadata = (datatype: string, shape: number[]): ModelMetadata => ({
  name: "default",
  platform: "onnx",
  inputs: [{ name: "x", datatype, shape }],
  outputs: [],
});

test("dynamic dimensions become one, 64-bit integers are plain JSON numbers", () => {
  expect(inputsFor(metadata("INT64", [-1, 2]), null)).toEqual([
    [{ name: "x", datatype: "INT64", shape: [1, 2], data: [0, 0] }],
  ]);
});

test("golden inputs are used when they fit the model that is asked, and only then", () => {
  expect(inputsFor(metadata("FP32", [-1]), golden)).toEqual([golden.samples[0]?.inputs]);
  const other = { ...metadata("FP32", [1]), inputs: [{ name: "other", datatype: "FP32", shape: [1] }] };
  expect(inputsFor(other, golden)).toEqual([[{ name: "other", datatype: "FP32", shape: [1], data: [0.5] }]]);
  expect(inputsFor(metadata("FP32", [3]), golden)).toEqual([
    [{ name: "x", datatype: "FP32", shape: [3], data: [0.5, 0.5, 0.5] }],
  ]);
});

test("a dynamic dimension is what the golden sample has there, when that is known", () => {
  const image = { name: "x", datatype: "FP32", shape: [4, 2], data: Array.from({ length: 8 }, () => 1) };
  const partial = { ...golden, samples: [{ inputs: [image], outputs: [tensor("y", [10, 0])] }] };
  const inputs = [
    { name: "x", datatype: "FP32", shape: [-1, 2] },
    { name: "mask", datatype: "BOOL", shape: [-1] },
  ];
  const sets = inputsFor({ ...metadata("FP32", [1]), inputs }, partial);
  expect(typeof sets === "string" ? sets : sets[0]?.map(({ shape }) => shape)).toEqual([[4, 2], [1]]);
});

test("an engine of half precision is asked the golden samples in half precision", () => {
  const [set] = inputsFor(metadata("FP16", [-1]), golden);
  expect(set).toEqual([{ ...golden.samples[0]?.inputs[0], datatype: "FP16" }]);
});

test("what cannot be asked is said, not guessed", () => {
  expect(inputsFor(metadata("COMPLEX64", [1]), null)).toContain("COMPLEX64");
  expect(inputsFor(metadata("FP32", [100_000, 100_000]), null)).toContain("too many");
});
