// Tables over what the hub counts: progress, labels, sequences.
import type { OutcomeReport, Progress } from "@context-edge/protocol";
import { describe, expect, test } from "vitest";
import { accuracyOf, countLabels, falseNegativeRate, falsePositiveRate, wilsonInterval } from "./accuracy.ts";
import { nextSequence } from "./desired.ts";
import { progressOf, type Member } from "./progress.ts";
import type { Standing } from "./sync.ts";

describe("progress", () => {
  const outcome = (kind: OutcomeReport["outcome"]) => ({ outcome: kind }) as OutcomeReport;
  const member = (online: boolean, standing: Partial<Standing>): Member => ({
    id: "d",
    online,
    standing: {
      sync: "pending",
      phase: "idle",
      outcome: null,
      runsTarget: false,
      inWave: true,
      waits: false,
      ...standing,
    },
    turn: true,
    timedOut: null,
  });
  const rows: [string, Member, keyof Progress][] = [
    ["runs the target", member(true, { sync: "in-sync", runsTarget: true }), "committed"],
    ["runs the target and went away", member(false, { sync: "in-sync", runsTarget: true }), "committed"],
    ["waits", member(true, {}), "pending"],
    ["is under way", member(true, { phase: "probing" }), "moving"],
    ["is away before it decided", member(false, { phase: "probing" }), "offline"],
    ["rolled back", member(true, { sync: "failed", outcome: outcome("rolled-back") }), "rolled_back"],
    ["refused the file", member(true, { sync: "failed", outcome: outcome("rejected") }), "failed"],
    ["has no variant", member(true, { sync: "incompatible" }), "incompatible"],
    ["is held", member(true, { sync: "held" }), "held"],
    ["waits for its window", member(true, { waits: true }), "held"],
    ["has not had its turn", { ...member(true, { sync: "in-sync" }), turn: false }, "waiting"],
    ["runs it before its turn", { ...member(true, { sync: "in-sync", runsTarget: true }), turn: false }, "committed"],
    ["let its deadline pass", { ...member(false, { phase: "probing" }), timedOut: "probing" }, "failed"],
    [
      "was late and then made it",
      { ...member(true, { sync: "in-sync", runsTarget: true }), timedOut: "probing" },
      "committed",
    ],
  ];
  test.each(rows)("a device that %s", (_title, one, bin) => {
    expect(progressOf([one])).toMatchObject({ total: 1, [bin]: 1 });
  });
});

describe("labels", () => {
  const counts = countLabels([
    { predicted: "normal", actual: "normal", count: 80 },
    { predicted: "hot", actual: "normal", count: 20 },
    { predicted: "hot", actual: "hot", count: 30 },
    { predicted: "worn", actual: "hot", count: 10 },
    { predicted: "normal", actual: "hot", count: 10 },
  ]);
  test("positive is any class but normal; one failure taken for another is neither false positive nor false negative", () => {
    expect(accuracyOf(counts)).toBeCloseTo(110 / 150);
    expect(falsePositiveRate(counts)).toBeCloseTo(0.2);
    expect(falseNegativeRate(counts)).toBeCloseTo(0.2);
  });
  test("no labels give no rates", () => {
    expect([accuracyOf, falsePositiveRate, falseNegativeRate].map((rate) => rate(countLabels([])))).toEqual([
      null,
      null,
      null,
    ]);
  });
  test("Wilson's interval is wide for few and narrow for many", () => {
    // Reference values computed with the textbook formula for z = 1.96.
    expect(wilsonInterval(9, 10).low).toBeCloseTo(0.5958, 3);
    expect(wilsonInterval(900, 1_000).low).toBeCloseTo(0.8799, 3);
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
  });
});

test.each([
  [0, 1_000, 1_000],
  [1_000, 1_000, 1_001],
  [5_000, 1_000, 5_001],
])("after sequence %d at %d ms comes %d", (last, now, next) => {
  expect(nextSequence(last, now)).toBe(next);
});
