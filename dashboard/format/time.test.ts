// Instants and spans in words.
import { describe, expect, test } from "vitest";
import { ago, hours } from "./time.ts";

const NOW = Date.parse("2026-01-31T08:00:00Z");

describe("ago", () => {
  test.each([
    [0, "just now"],
    [4, "just now"],
    [5, "5 s ago"],
    [59, "59 s ago"],
    [60, "1 min ago"],
    [3_599, "59 min ago"],
    [3_600, "1 h ago"],
    [86_399, "23 h ago"],
    [86_400, "24 h ago"],
    [2 * 86_400, "2 d ago"],
    [14 * 86_400, "17 Jan 2026"],
  ])("%s seconds are told as %s", (seconds, words) => {
    expect(ago(NOW - seconds * 1_000, NOW)).toBe(words);
  });
  test("a clock that runs ahead does not lead into the future", () => {
    expect(ago(NOW + 90_000, NOW)).toBe("just now");
  });
});

test.each([
  [0, "0.0 min"],
  [0.02, "1.2 min"],
  [3.44, "3.4 h"],
  [47.9, "47.9 h"],
  [50.4, "2.1 d"],
])("%s hours are %s", (value, words) => {
  expect(hours(value)).toBe(words);
});
