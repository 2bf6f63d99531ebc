// Figures as people read them: cut where rounding would promise too much, exact where a reader would subtract.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytes,
  count,
  milliseconds,
  percent,
  percentWithDelta,
  plural,
  points,
  pointsBetween,
  shortDigest,
} from "./numbers.ts";

describe("percent", () => {
  test.each([
    [0.941, "94.1 %"],
    [0.9419, "94.1 %"],
    [999 / 1000, "99.9 %"],
    [9_999 / 10_000, "99.9 %"],
    [1, "100.0 %"],
    [0, "0.0 %"],
    [0.29, "29.0 %"],
    [0.0004, "0.0 %"],
    [null, "–"],
    [undefined, "–"],
  ])("%s is shown as %s", (share, shown) => {
    expect(percent(share)).toBe(shown);
  });
  test("is 100 % only when every single one is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1_000_000_000 }), (total) => {
        expect(percent((total - 1) / total)).not.toBe("100.0 %");
      }),
    );
  });
  test("never shows more than there is, whatever was counted", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.nat(100_000), (total, part) => {
        const share = Math.min(part, total) / total;
        expect(Number.parseFloat(percent(share))).toBeLessThanOrEqual(share * 100 + 1e-6);
      }),
    );
  });
});

describe("differences", () => {
  test.each([
    [0.023, "+2.3"],
    [-0.0051, "−0.5"],
    [0, "+0.0"],
    [-0.0001, "+0.0"],
  ])("%s is shown as %s points", (delta, shown) => {
    expect(points(delta)).toBe(shown);
  });
  test("what is shown is the difference of what is shown", () => {
    expect([percent(0.9459), percent(0.9231), pointsBetween(0.9459, 0.9231)]).toEqual(["94.5 %", "92.3 %", "+2.2"]);
  });
  test("the guide's own example reads as the guide writes it", () => {
    expect(percentWithDelta(0.941, 0.023)).toBe("94.1 % (+2.3)");
    expect(percentWithDelta(0.941, null)).toBe("94.1 %");
  });
});

describe("other figures", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [222_000, "222 kB"],
    [999_499, "999 kB"],
    [999_999, "1.0 MB"],
    [38_400_000, "38 MB"],
    [8_000_000_000, "8.0 GB"],
    [2e15, "2,000 TB"],
  ])("%s bytes are %s", (size, shown) => {
    expect(bytes(size)).toBe(shown);
  });
  test("milliseconds have two decimals only where they matter, and a dash when unknown", () => {
    expect([milliseconds(9.412), milliseconds(12.84), milliseconds(null)]).toEqual(["9.41 ms", "12.8 ms", "–"]);
  });
  test("counts are grouped and agree with their noun", () => {
    expect([count(1_234_567), plural(1, "device"), plural(8, "device"), plural(0, "device")]).toEqual([
      "1,234,567",
      "1 device",
      "8 devices",
      "0 devices",
    ]);
  });
  test("a digest is told by its first twelve digits", () => {
    expect(shortDigest("0123456789abcdef".repeat(4))).toBe("0123456789ab");
  });
});
