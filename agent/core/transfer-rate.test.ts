// Rates and remaining times as readers see them.
import { expect, test } from "vitest";
import { nextSample, type Sample, transfer } from "./transfer-rate.ts";

const START: Sample = { bytes: 0, atMs: 0, rateBytesPerS: null };

test("the first rate is known after a quarter of a second, and the time left with it", () => {
  expect(nextSample(START, 1_000, 100)).toBe(START);
  const sample = nextSample(START, 1_000, 500);
  expect(transfer(1_000, 11_000, sample)).toEqual({ bytes: 1_000, rateBytesPerS: 2_000, leftS: 5 });
});

test("a resumed download is not fast for what it had before", () => {
  const resumed = nextSample({ bytes: 1_000_000, atMs: 0, rateBytesPerS: null }, 1_001_000, 1_000);
  expect(resumed.rateBytesPerS).toBe(1_000);
});

test("one burst hardly moves the rate, a lasting change does", () => {
  let sample = nextSample(START, 1_000, 1_000);
  sample = nextSample(sample, 11_000, 1_250);
  expect(sample.rateBytesPerS).toBeLessThan(4_000);
  for (let second = 1; second <= 30; second += 1)
    sample = nextSample(sample, 11_000 + second * 100, 1_250 + second * 1_000);
  expect(sample.rateBytesPerS).toBeLessThan(250);
});

test("a standing download has no time left to tell", () => {
  expect(transfer(500, 1_000, { bytes: 500, atMs: 0, rateBytesPerS: 0.2 })).toMatchObject({ leftS: null });
  expect(transfer(500, 1_000, START)).toEqual({ bytes: 500, rateBytesPerS: null, leftS: null });
});
