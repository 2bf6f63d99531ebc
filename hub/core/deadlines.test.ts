// Deadlines per phase: whom they watch, when they begin anew, and when they have passed.
import { expect, test } from "vitest";
import { isLate, nextStay, phaseToWatch } from "./deadlines.ts";
import type { Member } from "./progress.ts";

const member = (some: Partial<Member> = {}, standing: Partial<Member["standing"]> = {}): Member => ({
  id: "d",
  online: true,
  turn: true,
  timedOut: null,
  standing: {
    sync: "pending",
    phase: "idle",
    outcome: null,
    runsTarget: false,
    inWave: true,
    waits: false,
    ...standing,
  },
  ...some,
});

test.each<[string, Member, string | null]>([
  ["told and not begun", member(), "idle"],
  ["away before it began", member({ online: false }), null],
  ["under way", member({}, { phase: "downloading" }), "downloading"],
  ["gone silent while under way", member({ online: false }, { phase: "probing" }), "probing"],
  ["waiting for its window", member({}, { waits: true }), null],
  ["held", member({}, { sync: "held" }), null],
  ["done", member({}, { sync: "in-sync", runsTarget: true }), null],
  ["not yet its turn", member({ turn: false }), null],
])("a device that is %s is watched in the phase %s", (_title, one, phase) => {
  expect(phaseToWatch(one)).toBe(phase);
});

test("a phase keeps its beginning, a new one begins anew, and only beyond the deadline is late", () => {
  const stay = nextStay(undefined, "probing", 1_000);
  expect(nextStay(stay, "probing", 900_000)).toEqual(stay);
  expect(nextStay(stay, "soaking", 900_000)).toEqual({ phase: "soaking", sinceMs: 900_000 });
  expect(isLate(stay, { probing: 1 }, 61_000)).toBe(false);
  expect(isLate(stay, { probing: 1 }, 61_001)).toBe(true);
  // The default for probing is half an hour.
  expect(isLate(stay, {}, 30 * 60_000)).toBe(false);
  expect(isLate(stay, {}, 31 * 60_000 + 1)).toBe(true);
});
