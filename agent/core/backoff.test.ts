// Waiting times: they double, they are capped, they never fall in step, and no server may set them at will.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { nextDelayMs, parseRetryAfter, RETRY_AFTER_CAP_MS } from "./backoff.ts";

const bounds = { minMs: 1_000, maxMs: 60_000 };

test("for any number of failures and any chance, the wait lies between half the least and the most", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failures, jitter) => {
        const delayMs = nextDelayMs(failures, bounds, jitter);
        return delayMs >= bounds.minMs / 2 && delayMs <= bounds.maxMs;
      },
    ),
  );
});

test("the wait doubles until it reaches the most", () => {
  expect([1, 2, 3, 7, 20].map((failures) => nextDelayMs(failures, bounds, 1))).toEqual([
    1_000, 2_000, 4_000, 60_000, 60_000,
  ]);
});

test.each([
  ["120", 120_000],
  ["Thu, 01 Jan 1970 00:01:00 GMT", 60_000],
  ["999999999", RETRY_AFTER_CAP_MS],
  ["-5", 0],
  ["soon", undefined],
  [undefined, undefined],
])("Retry-After %s means %s ms", (header, expected) => {
  expect(parseRetryAfter(header, 0)).toBe(expected);
});
