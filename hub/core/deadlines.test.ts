// Deadlines per phase: whom they watch, when they begin anew, and when they have passed.
import { expect, test } from "vitest";
import { isLate, nextStay, phaseToWatch, type Stay } from "./deadlines.ts";
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
  ["there and silent about what it runs", member({}, { sync: "unknown" }), "idle"],
  ["done", member({}, { sync: "in-sync", runsTarget: true }), null],
  ["not yet its turn", member({ turn: false }), null],
])("a device that is %s is watched in the phase %s", (_title, one, phase) => {
  expect(phaseToWatch(one)).toBe(phase);
});

const MINUTE = 60_000;
/** So many looks a second apart. */
const after = (seconds: number, from: Stay) =>
  Array.from({ length: seconds }).reduce<Stay>((stay) => nextStay(stay, stay.phase, 1_000), from);

test("a phase goes on being counted, a new one begins anew, and only beyond the deadline is late", () => {
  const stay = after(60, nextStay(undefined, "probing", MINUTE));
  expect(stay).toEqual({ phase: "probing", waitedMs: MINUTE });
  expect(nextStay(stay, "soaking", 1_000)).toEqual({ phase: "soaking", waitedMs: 0 });
  expect(isLate(stay, { probing: 1 })).toBe(false);
  expect(isLate(nextStay(stay, "probing", 1), { probing: 1 })).toBe(true);
  // The default for probing is half an hour.
  expect(isLate({ phase: "probing", waitedMs: 30 * MINUTE }, {})).toBe(false);
  expect(isLate({ phase: "probing", waitedMs: 30 * MINUTE + 1 }, {})).toBe(true);
});

test.each([
  ["was set forward by two hours", 120 * MINUTE],
  ["slept for a day", 1_440 * MINUTE],
  ["was set back", -120 * MINUTE],
])("a hub whose clock %s makes nobody late by that", (_title, sinceLookMs) => {
  const stay = nextStay({ phase: "probing", waitedMs: 10 * MINUTE }, "probing", sinceLookMs);
  expect(stay.waitedMs).toBeLessThanOrEqual(11 * MINUTE);
  expect(isLate(stay, { probing: 12 })).toBe(false);
});
