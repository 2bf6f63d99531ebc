// Tables over the gate: each condition's verdict, its sentence and evidence, and the one verdict over all.
import type { GatePolicy } from "@context-edge/protocol";
import { describe, expect, test } from "vitest";
import { countLabels } from "./accuracy.ts";
import { DEFAULT_GATE, evaluateGate, missingFor, type GateFacts } from "./gate.ts";
import { progress } from "./testing.ts";

describe("the gate", () => {
  const policy: GatePolicy = { ...DEFAULT_GATE, soak_seconds: 60 };
  const good: GateFacts = {
    progress: progress({ committed: 5 }),
    watched: [60, 60, 60, 60, 60],
    predictions: 1_000,
    errors: 0,
    labels: countLabels([
      { predicted: "normal", actual: "normal", count: 95 },
      { predicted: "normal", actual: "hot", count: 5 },
    ]),
    earlierAccuracy: 0.92,
    ownAccuracy: 0.95,
    earlierLabels: null,
    allowedBad: 0,
    latency: [],
  };
  const verdict = (facts: Partial<GateFacts>, some: Partial<GatePolicy> = {}) =>
    evaluateGate({ ...policy, ...some }, { ...good, ...facts }, "2026-01-01T00:00:00.000Z");
  const conditionOf = (name: string, facts: Partial<GateFacts>, some: Partial<GatePolicy> = {}) =>
    verdict(facts, some).conditions.find((condition) => condition.name === name);

  const rows: [string, Partial<GateFacts>, string, RegExp | null][] = [
    ["everything is well", {}, "pass", null],
    [
      "one second is missing",
      { watched: [60, 60, 60, 60, 59] },
      "inconclusive",
      /watched for 59 s of 60 s; 4 of 5 devices/,
    ],
    ["nobody has settled", { watched: [] }, "inconclusive", /starts when 5 devices run it/],
    ["one came late", { watched: [9_000, 9_000, 9_000, 9_000, 1] }, "inconclusive", /watched for 1 s of 60 s/],
    ["a device is still under way", { progress: progress({ committed: 4, moving: 1 }) }, "inconclusive", /4 of 5/],
    ["a device is offline", { progress: progress({ committed: 4, offline: 1 }) }, "pass", null],
    ["everybody is offline", { progress: progress({ offline: 5 }) }, "inconclusive", /0 of 0/],
    ["a device rolled back", { progress: progress({ committed: 4, rolled_back: 1 }) }, "fail", /1 rolled it back/],
    ["a device could not install", { progress: progress({ committed: 4, failed: 1 }) }, "fail", /1 could not install/],
    ["1 % of predictions fail", { predictions: 990, errors: 10 }, "pass", null],
    ["so many fail that it is no chance", { predictions: 970, errors: 30 }, "fail", /30 of 1,000/],
    ["a little more than 1 % fail", { predictions: 989, errors: 11 }, "inconclusive", /11 of 1,000/],
    ["one of three fails", { predictions: 2, errors: 1 }, "inconclusive", /too few to judge by \(100 needed\)/],
    ["nobody counts predictions", { predictions: 0, errors: 0 }, "pass", null],
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
    if (missing) expect(missingFor(report, policy).join("; ")).toMatch(missing);
    else expect(missingFor(report, policy)).toEqual([]);
  });

  test("no predictions are never called a pass of their own", () => {
    expect(conditionOf("errors", { predictions: 0, errors: 0 })?.verdict).toBe("inconclusive");
  });

  test("of many devices as many must have been watched as must run it", () => {
    const facts = { progress: progress({ total: 10, committed: 10 }), watched: [...Array(9).fill(60), 1] };
    expect(conditionOf("soak", facts, { min_committed_share: 0.9 })?.verdict).toBe("pass");
    expect(conditionOf("soak", facts)?.verdict).toBe("inconclusive");
    expect(conditionOf("soak", facts)?.evidence).toMatchObject({ devices: 9, needed_devices: 10, seconds: 1 });
  });

  test("where nothing ran before, labels are held against what training promised", () => {
    const facts = { earlierAccuracy: null, labels: labelled(990, 10) };
    expect(conditionOf("accuracy", facts)).toMatchObject({
      verdict: "pass",
      detail: expect.stringContaining("its training promised 95.0 %"),
    });
    expect(conditionOf("accuracy", { ...facts, ownAccuracy: null })?.verdict).toBe("inconclusive");
  });

  test("too few labels are called inconclusive, never a pass", () => {
    expect(conditionOf("accuracy", { labels: countLabels([]) })?.verdict).toBe("inconclusive");
    const needed = verdict({ labels: countLabels([]) }, { require_labels: true });
    expect(needed.verdict).toBe("inconclusive");
    expect(missingFor(needed, { ...policy, require_labels: true }).join()).toMatch(/too few to judge accuracy/);
  });

  const labelled = (right: number, wrong: number) =>
    countLabels([
      { predicted: "normal", actual: "normal", count: right },
      { predicted: "hot", actual: "normal", count: wrong },
    ]);
  test.each<[string, number, number, string]>([
    // Wilson, 95 %: 900 of 1,000 is 88.0 % to 91.7 %; the floor is 90 %.
    ["within what the labels can tell", 900, 100, "inconclusive"],
    ["certainly above the floor", 950, 50, "pass"],
    ["certainly below the floor", 850, 150, "fail"],
    ["perfect, but of few", 30, 0, "inconclusive"],
    ["bad, but of too few", 0, 29, "inconclusive"],
  ])("accuracy %s: %d right, %d wrong", (_title, right, wrong, expected) => {
    const condition = conditionOf("accuracy", { labels: labelled(right, wrong) });
    expect(condition?.verdict).toBe(expected);
    expect(condition?.evidence).toMatchObject({ correct: right, labels: right + wrong, earlier: 0.92 });
  });

  test("what the earlier version was measured at outranks what its training promised", () => {
    const condition = conditionOf("accuracy", { labels: labelled(850, 150), earlierLabels: labelled(800, 200) });
    expect(condition).toMatchObject({ verdict: "pass", detail: expect.stringContaining("had 80.0 %") });
  });

  test.each<[string, number, number, string]>([
    ["few enough", 10, 990, "pass"],
    ["too many", 200, 800, "fail"],
    ["too close to tell", 50, 950, "inconclusive"],
    ["of too few labels", 0, 10, "inconclusive"],
  ])("false positives %s: %d of %d more", (_title, wrong, right, expected) => {
    const facts = { labels: labelled(right, wrong) };
    expect(conditionOf("false-positives", facts, { max_false_positive_rate: 0.05 })?.verdict).toBe(expected);
  });

  test("a rate without a limit is no condition", () => {
    expect(conditionOf("false-positives", {})).toBeUndefined();
  });

  test.each<[string, { before: number; after: number }[], string]>([
    ["nobody measured both", [], "inconclusive"],
    ["exactly at its limit", [{ before: 8, after: 12 }], "pass"],
    ["just over its limit", [{ before: 8, after: 12.01 }], "fail"],
    [
      "one slow device of three",
      [
        { before: 8, after: 8 },
        { before: 8, after: 9 },
        { before: 8, after: 90 },
      ],
      "pass",
    ],
    [
      "two slow devices of three",
      [
        { before: 8, after: 8 },
        { before: 8, after: 90 },
        { before: 8, after: 90 },
      ],
      "fail",
    ],
    [
      "slow devices and fast ones, each against itself",
      [
        { before: 80, after: 90 },
        { before: 4, after: 5 },
      ],
      "pass",
    ],
  ])("latency: %s", (_title, latency, expected) => {
    const report = verdict({ latency });
    expect(report.conditions.find(({ name }) => name === "latency")?.verdict).toBe(expected);
    // Without an earlier version to compare with there is nothing to wait for.
    expect(report.verdict).toBe(expected === "fail" ? "fail" : "pass");
  });

  test("bad ends that the plan allows neither fail the gate nor are missed among the committed", () => {
    const facts = { progress: progress({ committed: 4, rolled_back: 1 }), allowedBad: 1 };
    expect(verdict(facts).verdict).toBe("pass");
    expect(verdict({ ...facts, allowedBad: 0 }).verdict).toBe("fail");
  });

  test("devices whose turn has not come are not waited for", () => {
    expect(verdict({ progress: progress({ total: 50, committed: 5, waiting: 45 }) }).verdict).toBe("pass");
  });
});
