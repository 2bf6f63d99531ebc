// Plans: groups in order, waves by share or count, the same devices whoever computes it.
import { isInWave } from "@context-edge/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_GATE } from "./gate.ts";
import { allowedBad, planOf, sharesAfter, shareOf, stepWords, whatIsWrongWith } from "./plan.ts";
import { isSettledIn } from "./settled.ts";
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
    ["a wave that shrinks", planRequest({ waves: [{ share: 0.5 }, { share: 0.2 }, { share: 1 }] }), /larger/],
    [
      "a last wave that leaves devices out",
      planRequest({ waves: [{ share: 0.1 }, { count: 5 }] }),
      /leaves devices out/,
    ],
    ["a count that stays", planRequest({ waves: [{ count: 3 }, { count: 3 }, { share: 1 }] }), /larger/],
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

test("a wave by share takes in at least one device of a group that has any, and all of them only at 1", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.double({ min: 0.001, max: 0.2, noNaN: true }),
      fc.uuid(),
      (size, share, id) => {
        const chosen = shareOf({ share }, ids(size), id);
        const taken = ids(size).filter((device) => isInWave(device, id, chosen)).length;
        expect(taken).toBeGreaterThanOrEqual(1);
        expect(chosen).toBeGreaterThanOrEqual(share);
      },
    ),
  );
});

test("whoever joins a group later is not taken into a wave by count that was complete", () => {
  const id = "dep-1";
  const share = shareOf({ count: 4 }, ids(4), id);
  const newcomers = Array.from({ length: 200 }, (_, index) => `new-${index}`).filter((device) =>
    isInWave(device, id, share),
  );
  // Those whose place happens to lie among the four are in; nobody beyond them is, as a share of 1 would have it.
  expect(newcomers.length).toBeLessThan(200);
  expect(shareOf({ count: 1 }, ["only"], id)).toBeLessThan(1);
  expect(shareOf({ count: 1 }, [], id)).toBe(0);
});

test.each<[string, Parameters<typeof isSettledIn>[0], boolean]>([
  ["that went on to the next group", { ...deploymentOf(1), shares: { a: 1, b: 1 } }, true],
  ["that is still being judged there", { ...deploymentOf(0), state: "soaking" }, false],
  ["whose gate has passed there", { ...deploymentOf(0), state: "awaiting-approval" }, true],
  ["that was aborted half-way", { ...deploymentOf(0), state: "aborted", shares: { a: 0.25 } }, false],
  ["that was aborted after it had gone on", { ...deploymentOf(1), state: "aborted" }, true],
  ["that halted", { ...deploymentOf(0), state: "paused" }, false],
  ["that finished", { ...deploymentOf(0), state: "finished" }, true],
  ["that never came to it", { ...deploymentOf(0), shares: {} }, false],
  ["that went back", { ...deploymentOf(0), kind: "rollback" }, true],
])("a deployment %s: what it brought counts as settled in group a is %s", (_title, one, settled) => {
  expect(isSettledIn(one, "a")).toBe(settled);
});

function deploymentOf(step: number): Parameters<typeof isSettledIn>[0] {
  const plan = planOf(planRequest({ groups: ["a", "b"] }), gate);
  return { kind: "waves", state: "running", plan, step, shares: { a: 1 } };
}

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
