// Times, durations and sizes as people read them.
import { expect, test } from "vitest";
import { withoutCredentials } from "./document.ts";
import { bytesWords, clockTime, counted, duration, isBelievable, percentOf, sentence } from "./format.ts";

const NOW = Date.parse("2026-11-24T14:32:00.000Z");

test.each([
  ["2026-11-24T10:00:00.000Z", /^Tuesday \d\d:00$/],
  ["2026-11-20T10:00:00.000Z", /^Friday \d\d:00$/],
  ["2026-11-10T10:00:00.000Z", /^10 November 2026 \d\d:00$/],
  ["2026-12-24T10:00:00.000Z", /^24 December 2026 \d\d:00$/],
])("%s is told as %s", (at, words) => {
  expect(clockTime(at, NOW)).toMatch(words);
});

test.each([
  [0, "0 seconds"],
  [1_000, "1 second"],
  [59_400, "59 seconds"],
  [60_000, "1 minute"],
  [89_000, "89 seconds"],
  [3_600_000, "1 hour"],
  [5_400_000, "90 minutes"],
  [24 * 3_600_000, "1 day"],
  [72 * 3_600_000, "3 days"],
])("%i ms are %s", (ms, words) => {
  expect(duration(ms)).toBe(words);
});

test.each([
  [999, "999 B"],
  [96_300_000, "96.3 MB"],
  [58_900_000_000, "58.9 GB"],
])("%i bytes are %s", (bytes, words) => {
  expect(bytesWords(bytes)).toBe(words);
});

test("what is not whole is never told as 100 %", () => {
  expect([percentOf(999, 1_000), percentOf(1_000, 1_000), percentOf(5, 0)]).toEqual([99, 100, 0]);
});

test("a sentence begins with a capital, but a name stays as it is", () => {
  expect(sentence("the disk is full")).toBe("The disk is full.");
  expect(sentence("v2.1 runs")).toBe("v2.1 runs.");
  expect(sentence("p95 was 84.2 ms")).toBe("p95 was 84.2 ms.");
  expect(sentence("")).toBe("");
});

test("thousands are grouped, one is singular", () => {
  expect([counted(48_213, "answer"), counted(1, "model")]).toEqual(["48,213 answers", "1 model"]);
});

test("times of a clock without a battery are not believed", () => {
  expect([isBelievable("1970-01-01T00:00:21.000Z"), isBelievable("2026-01-01T00:00:00.000Z")]).toEqual([false, true]);
});

test.each([
  ["https://hub.example:8000", "https://hub.example:8000"],
  ["https://agent:geheim@hub.example:8000", "https://hub.example:8000"],
  ["https://agent:geheim@hub.example/base/", "https://hub.example/base/"],
])("secrets in the hub's address stay off the page: %s is shown as %s", (url, shown) => {
  expect(withoutCredentials(url)).toBe(shown);
});
