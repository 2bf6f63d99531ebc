// Plans: groups in order, waves by share or count, the same devices whoever computes it.
import { isInWave } from "@context-edge/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_GATE } from "./gate.ts";
import { allowedBad, planOf, sharesAfter, shareOf, stepWords, whatIsWrongWith } from "./plan.ts";
import { planRequest } from "./testing.ts";

const gate = { ...DEFAULT_GATE, soak_seconds: 86_400 };
const ids = (count: number) => Array.from({ length: count }, (_, index) => `edge-${index}`);

describe("steps", () => {
  const waves = [{ share: 0.1 }, { share: 1 }];
  test("one group after the other, each in its waves", () => {
    const plan = planOf(planRequest({ groups: ["a", "b"], waves }), gate);
    expect(plan.steps.map(({ groups, size }) => [groups, size])).toEqual([
      [["a"], { share: 0.1 }],
      [["a"], { share: 1 }],
      [["b"], { share: 0.1 }],
      [["b"], { share: 1 }],
    ]);
    expect(stepWords(plan, 2)).toBe("step 3 of 4 (10 % of b)");
  });
  test("all groups together", () => {
    const plan = planOf(planRequest({ groups: ["a", "b"], waves, together: true }), gate);
    expect(plan.steps.map(({ groups }) => groups)).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
  });
  test("several steps have the default gate between them; a single one has none unless it is asked for", () => {
    expect(planOf(planRequest({ waves }), gate).gate).toEqual(gate);
    expect(planOf(planRequest(), gate).gate).toBeNull();
    expect(planOf(planRequest({ gate: { soak_seconds: 5 } }), gate).gate).toEqual({ ...gate, soak_seconds: 5 });
  });
  test.each([
    ["a group twice", planRequest({ groups: ["a", "a"] }), /twice/],
    ["a wave that shrinks", planRequest({ waves: [{ share: 0.5 }, { share: 0.2 }] }), /larger/],
    ["a count that stays", planRequest({ waves: [{ count: 3 }, { count: 3 }] }), /larger/],
  ])("%s makes no sense", (_title, request, words) => {
    expect(whatIsWrongWith(request)).toMatch(words);
  });
  test("a count and then a share is fine", () => {
    expect(whatIsWrongWith(planRequest({ waves: [{ count: 1 }, { share: 1 }] }))).toBeNull();
  });
});

test("a wave by count takes in exactly so many devices, whichever they are", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 70 }), fc.uuid(), (size, count, id) => {
      const devices = ids(size);
      const share = shareOf({ count }, devices, id);
      expect(devices.filter((device) => isInWave(device, id, share))).toHaveLength(Math.min(size, count));
    }),
  );
});

test("shares only rise, and a step touches only its own groups", () => {
  const plan = planOf(planRequest({ groups: ["a", "b"], waves: [{ count: 2 }, { share: 1 }] }), gate);
  const devicesOf = () => ids(10);
  const first = sharesAfter(plan, 0, {}, devicesOf, "dep");
  expect(Object.keys(first)).toEqual(["a"]);
  const second = sharesAfter(plan, 1, first, devicesOf, "dep");
  expect(second).toEqual({ a: 1 });
  const third = sharesAfter(plan, 2, second, devicesOf, "dep");
  expect(third["a"]).toBe(1);
  expect(third["b"]).toBeGreaterThan(0);
  // More devices by now: two of them are a smaller share, yet nobody is taken back.
  expect(sharesAfter(plan, 0, first, () => ids(100), "dep")["a"]).toBe(first["a"]);
});

test.each([
  [{ count: 2 }, 50, 2],
  [{ share: 0.1 }, 50, 5],
  [{ share: 0.1 }, 9, 0],
])("%j of %d devices may end badly: %d", (max_bad, devices, allowed) => {
  expect(allowedBad({ max_bad }, devices)).toBe(allowed);
});
