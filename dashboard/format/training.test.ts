// Whatever a training job sent: read when it makes sense, left out when it does not, never an exception.
import fc from "fast-check";
import { expect, test } from "vitest";
import { comparedOf, confusionOf, curvesOf, perClassOf, polyline } from "./training.ts";

const CLASSES = ["normal", "bearing_wear"];

test("a confusion matrix is shown when it is square and has a name for every row", () => {
  const confusion = [
    [9, 1],
    [2, 8],
  ];
  expect(confusionOf({ classes: CLASSES, confusion })).toEqual({ classes: CLASSES, counts: confusion });
});

test.each([
  ["without names", { confusion: [[1]] }],
  ["with too few rows", { classes: CLASSES, confusion: [[1, 2]] }],
  ["with a short row", { classes: CLASSES, confusion: [[1, 2], [3]] }],
  ["of words", { classes: CLASSES, confusion: "much" }],
])("a confusion matrix %s is left out", (_, metrics) => {
  expect(confusionOf(metrics)).toBeNull();
});

test("curves without a single point are left out", () => {
  expect(curvesOf({ curves: { epoch: [], train_loss: [], validation_accuracy: [] } })).toBeNull();
});

test("a class that was never predicted has no precision, and the other figures are shown all the same", () => {
  const perClass = {
    normal: { precision: 0.9, recall: 1, support: 9 },
    tool_wear: { precision: null, recall: 0, support: 1 },
  };
  expect(perClassOf({ per_class: perClass })).toEqual(perClass);
});

test("a version that was measured on the same samples is shown beside, one that could not be measured is not", () => {
  const beside = { version_id: "v2.0", held_out_samples: 10_000, accuracy: 0.92 };
  expect(comparedOf({ compared_with: { ...beside, confusion: [] } })).toEqual(beside);
  expect(comparedOf({ compared_with: { version_id: "v2.0", held_out_samples: 1, not_comparable: "…" } })).toBeNull();
});

test("no metrics a job can send make the page fail", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("classes", "confusion", "per_class", "curves", "compared_with"), fc.jsonValue()),
      (metrics) => {
        perClassOf(metrics);
        curvesOf(metrics);
        comparedOf(metrics);
        confusionOf(metrics);
      },
    ),
  );
});

test("a line fills its box, from the lowest value at the bottom to the highest at the top", () => {
  expect(polyline([0, 1, 2], 100, 50)).toBe("0.0,50.0 50.0,25.0 100.0,0.0");
});

test("a line of equal values, or of one, is still a line of numbers", () => {
  expect(polyline([3, 3], 100, 50)).toBe("0.0,50.0 100.0,50.0");
  expect(polyline([3], 100, 50)).toBe("0.0,50.0");
});
