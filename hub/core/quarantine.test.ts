// When bytes are out for the whole fleet: enough devices, for the file's own fault, and nothing counted twice.
import type { OutcomeReport } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { freshWords, isEnough, speaksAgainstTheFile, type Limit, type Witness } from "./quarantine.ts";

const witness = (device: string, code: string, outcome: OutcomeReport["outcome"] = "rolled-back"): Witness => ({
  device,
  at: `2026-01-01T00:00:0${device}.000Z`,
  against: speaksAgainstTheFile({ outcome, code }),
});

test.each<[string, Witness[], Limit, boolean]>([
  ["one device", [witness("1", "NOT_READY")], { count: 2 }, false],
  ["two devices", [witness("1", "NOT_READY"), witness("2", "GOLDEN_MISMATCH")], { count: 2 }, true],
  ["one device where one is enough", [witness("1", "NOT_READY")], { count: 1 }, true],
  [
    "rolled back by hand twice",
    [witness("1", "ROLLED_BACK_BY_HAND"), witness("2", "ROLLED_BACK_BY_HAND")],
    { count: 2 },
    false,
  ],
  ["too hot to be timed twice", [witness("1", "THROTTLED"), witness("2", "THROTTLED")], { count: 2 }, false],
  [
    "refused before the swap",
    [witness("1", "SIZE_MISMATCH", "rejected"), witness("2", "SIZE_MISMATCH", "rejected")],
    { count: 2 },
    false,
  ],
  ["one device is never a share", [witness("1", "NOT_READY")], { share: 0.1 }, false],
  [
    "half of those that tried",
    [
      witness("1", "NOT_READY"),
      witness("2", "NOT_READY"),
      witness("3", "OK", "committed"),
      witness("4", "OK", "committed"),
    ],
    { share: 0.5 },
    true,
  ],
  [
    "less than the share of those that tried",
    [
      witness("1", "NOT_READY"),
      witness("2", "NOT_READY"),
      ..."345678".split("").map((id) => witness(id, "OK", "committed")),
    ],
    { share: 0.5 },
    false,
  ],
])("%s", (_title, witnesses, limit, expected) => {
  expect(isEnough(witnesses, limit)).toBe(expected);
});

test("what a lifted quarantine has counted does not count again; a new rollback does", () => {
  const first = [witness("1", "NOT_READY"), witness("2", "NOT_READY")];
  const counted = Object.fromEntries(first.map(({ device, at }) => [device, at]));
  expect(isEnough(freshWords(first, counted), { count: 2 })).toBe(false);
  const again = first.map((one) => ({ ...one, at: "2026-02-01T00:00:00.000Z" }));
  expect(isEnough(freshWords(again, counted), { count: 2 })).toBe(true);
});
