// Which release may follow which: rows of numbers as the release key signed them.
import { expect, test } from "vitest";
import { belowMinimum, raisedMinimum } from "./release.ts";

const remembering = (release: number | null) => ({
  minimumRelease: release === null ? null : { release, version: "v3.0" },
});
const signed = (release: number, minimumRelease = 0) => ({ release, minimumRelease, version: "v2.0" });

test.each<[string, number | null, ReturnType<typeof signed>, string | null]>([
  ["any release where nothing was ever forbidden, lower ones too", null, signed(1), null],
  ["a release below the least that a committed version allowed", 7, signed(6), "RELEASE_BELOW_MINIMUM"],
  ["the least one itself", 7, signed(7), null],
  ["a rollback that stays above it", 7, signed(8), null],
  ["a release that forbids itself", null, signed(6, 7), "RELEASE_BELOW_MINIMUM"],
  ["a release that would allow more than was allowed before", 7, signed(6, 5), "RELEASE_BELOW_MINIMUM"],
  ["a journal of an agent that noted no release", 7, signed(0), "RELEASE_BELOW_MINIMUM"],
])("%s", (_what, least, candidate, code) => {
  expect(belowMinimum(remembering(least), candidate)?.code ?? null).toBe(code);
});

test("the minimum only rises, and names the version that raised it", () => {
  expect(raisedMinimum(remembering(null), signed(3))).toBe(null);
  expect(raisedMinimum(remembering(null), signed(3, 2))).toEqual({ release: 2, version: "v2.0" });
  expect(raisedMinimum(remembering(7), signed(9, 8))).toEqual({ release: 8, version: "v2.0" });
  expect(raisedMinimum(remembering(7), signed(9, 7))).toEqual({ release: 7, version: "v3.0" });
  expect(raisedMinimum(remembering(7), signed(9, 5))).toEqual({ release: 7, version: "v3.0" });
});
