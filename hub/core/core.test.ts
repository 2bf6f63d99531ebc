// Tables over the hub's decisions: gate, deployment, sync, progress, accuracy, sequences.
import type { OutcomeReport, Progress } from "@context-edge/protocol";
import { describe, expect, test } from "vitest";
import { accuracyOf, countLabels, falseNegativeRate, falsePositiveRate, wilsonInterval } from "./accuracy.ts";
import { decideDeployment, type DeploymentFacts } from "./deployment.ts";
import { nextSequence } from "./desired.ts";
import { DEFAULT_GATE, evaluateGate, missingFor, type GateFacts } from "./gate.ts";
import { progressOf, type Member } from "./progress.ts";
import type { Standing } from "./sync.ts";

const NONE: Progress = {
  total: 5,
  committed: 0,
  moving: 0,
  pending: 0,
  rolled_back: 0,
  failed: 0,
  incompatible: 0,
  held: 0,
  offline: 0,
};
const progress = (some: Partial<Progress>): Progress => ({ ...NONE, ...some });

describe("the gate", () => {
  const policy = { ...DEFAULT_GATE, soakSeconds: 60 };
  const good: GateFacts = {
    progress: progress({ committed: 5 }),
    soakedSeconds: 60,
    predictions: 1_000,
    errors: 0,
    labels: countLabels([
      { predicted: "normal", actual: "normal", count: 95 },
      { predicted: "normal", actual: "hot", count: 5 },
    ]),
    earlierAccuracy: 0.92,
  };
  const verdict = (facts: Partial<GateFacts>) =>
    evaluateGate(policy, { ...good, ...facts }, "2026-01-01T00:00:00.000Z");

  const rows: [string, Partial<GateFacts>, string, RegExp | null][] = [
    ["everything is well", {}, "pass", null],
    ["one second is missing", { soakedSeconds: 59 }, "inconclusive", /watched for 59 s of 60 s/],
    ["nobody has settled", { soakedSeconds: null }, "inconclusive", /starts when every device has settled/],
    ["a device is still under way", { progress: progress({ committed: 4, moving: 1 }) }, "inconclusive", /4 of 5/],
    ["a device is offline", { progress: progress({ committed: 4, offline: 1 }) }, "pass", null],
    ["everybody is offline", { progress: progress({ offline: 5 }) }, "inconclusive", /0 of 0/],
    ["a device rolled back", { progress: progress({ committed: 4, rolled_back: 1 }) }, "fail", /1 rolled it back/],
    ["a device could not install", { progress: progress({ committed: 4, failed: 1 }) }, "fail", /1 could not install/],
    ["1 % of predictions fail", { predictions: 990, errors: 10 }, "pass", null],
    ["more than 1 % fail", { predictions: 989, errors: 11 }, "fail", /11 of 1000/],
    ["there are few labels", { labels: countLabels([{ predicted: "a", actual: "b", count: 29 }]) }, "pass", null],
    [
      "labels prove it bad",
      {
        labels: countLabels([
          { predicted: "hot", actual: "normal", count: 60 },
          { predicted: "hot", actual: "hot", count: 60 },
        ]),
      },
      "fail",
      /labelled accuracy 50\.0 %/,
    ],
  ];
  test.each(rows)("%s", (_title, facts, expected, missing) => {
    const report = verdict(facts);
    expect(report.verdict).toBe(expected);
    if (missing) expect(missingFor(report).join("; ")).toMatch(missing);
    else expect(missingFor(report)).toEqual([]);
  });

  test("too few labels are called inconclusive, never a pass", () => {
    const report = verdict({ labels: countLabels([]) });
    expect(report.conditions.find(({ name }) => name === "accuracy")?.verdict).toBe("inconclusive");
  });
});

describe("a deployment", () => {
  const gate = (verdict: "pass" | "fail" | "inconclusive") => ({
    verdict,
    conditions: [],
    evaluated_at: "2026-01-01T00:00:00.000Z",
  });
  const facts: DeploymentFacts = {
    kind: "pilot",
    state: "running",
    stateReason: "",
    progress: progress({ committed: 3, moving: 2 }),
    gate: gate("inconclusive"),
    tolerated: 0,
    commonCode: null,
    commonMessage: null,
  };
  const rows: [string, Partial<DeploymentFacts>, string | null][] = [
    ["waits for devices under way", {}, null],
    ["of a pilot is watched once all have settled", { progress: progress({ committed: 5 }) }, "soaking"],
    [
      "of a pilot is not held open by an offline device",
      { progress: progress({ committed: 4, offline: 1 }) },
      "soaking",
    ],
    ["of a pilot is not watched while nobody runs it", { progress: progress({ offline: 5 }) }, null],
    [
      "of a group is finished once all have settled",
      { kind: "group", progress: progress({ committed: 5 }) },
      "finished",
    ],
    [
      "of a group is finished without the offline and the incompatible",
      { kind: "group", progress: progress({ committed: 2, offline: 2, incompatible: 1 }) },
      "finished",
    ],
    ["halts at the first bad end", { progress: progress({ moving: 4, rolled_back: 1 }) }, "paused"],
    [
      "goes on when a person accepted the bad end",
      { progress: progress({ moving: 4, rolled_back: 1 }), tolerated: 1 },
      null,
    ],
    [
      "halts at one more than was accepted",
      { progress: progress({ moving: 3, rolled_back: 2 }), tolerated: 1 },
      "paused",
    ],
    [
      "awaits approval when the gate passes",
      { state: "soaking", progress: progress({ committed: 5 }), gate: gate("pass") },
      "awaiting-approval",
    ],
    [
      "pauses when the gate fails",
      { state: "soaking", progress: progress({ committed: 5 }), gate: gate("fail") },
      "paused",
    ],
    [
      "runs again when a device comes back while it is watched",
      { state: "soaking", progress: progress({ committed: 4, pending: 1 }), gate: gate("pass") },
      "running",
    ],
    [
      "awaiting approval is halted by a late rollback",
      { state: "awaiting-approval", progress: progress({ committed: 4, rolled_back: 1 }) },
      "paused",
    ],
    ["that is finished stays finished", { state: "finished", progress: progress({ rolled_back: 5 }) }, null],
    ["that is aborted stays aborted", { state: "aborted", progress: progress({ committed: 5 }) }, null],
  ];
  test.each(rows)("%s", (_title, some, state) => {
    expect(decideDeployment({ ...facts, ...some })?.state ?? null).toBe(state);
  });

  test("keeps count while it is halted, and says the cause", () => {
    const halted = {
      ...facts,
      state: "paused" as const,
      progress: progress({ rolled_back: 2 }),
      commonCode: "X",
      commonMessage: "it was slow",
    };
    const first = decideDeployment(halted);
    expect(first?.reason).toBe("Halted: 2 of 5 devices did not keep it (X): it was slow");
    expect(decideDeployment({ ...halted, stateReason: first?.reason ?? "" })).toBeNull();
  });
});

describe("progress", () => {
  const outcome = (kind: OutcomeReport["outcome"]) => ({ outcome: kind }) as OutcomeReport;
  const member = (online: boolean, standing: Partial<Standing>): Member => ({
    id: "d",
    online,
    standing: { sync: "pending", phase: "idle", outcome: null, ...standing },
  });
  const rows: [string, Member, keyof Progress][] = [
    ["runs the target", member(true, { sync: "in-sync" }), "committed"],
    ["runs the target and went away", member(false, { sync: "in-sync" }), "committed"],
    ["waits", member(true, {}), "pending"],
    ["is under way", member(true, { phase: "probing" }), "moving"],
    ["is away before it decided", member(false, { phase: "probing" }), "offline"],
    ["rolled back", member(true, { sync: "failed", outcome: outcome("rolled-back") }), "rolled_back"],
    ["refused the file", member(true, { sync: "failed", outcome: outcome("rejected") }), "failed"],
    ["has no variant", member(true, { sync: "incompatible" }), "incompatible"],
    ["is held", member(true, { sync: "held" }), "held"],
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
