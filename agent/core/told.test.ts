// The log is quiet about what works and loud about what does not, in words an operator can search for.
import { ProbePolicy } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { reportOf } from "./conclude.ts";
import type { AttemptRecord, Conclusion } from "./state.ts";
import { told } from "./told.ts";

const digest = "a".repeat(64);
const attempt: AttemptRecord = {
  id: "an-attempt",
  startedAt: "2026-01-31T08:00:00.000Z",
  steps: [],
  resumptions: 0,
  candidate: {
    model: "default",
    version: "v2.3",
    digest,
    sizeBytes: 1,
    format: "trt",
    release: 1,
    minimumRelease: 0,
    deploymentId: "d-1",
    retry: 0,
    policy: ProbePolicy.parse({}),
  },
};
const recorded = (conclusion: Pick<Conclusion, "outcome" | "code" | "message">) =>
  told(
    {
      do: "record",
      attempt,
      report: reportOf(attempt, { ...conclusion, nextStep: "", evidence: {}, refuse: true }, 0),
    },
    null,
  );

test("a step that is done and a version that is committed are no warnings", () => {
  expect(told({ do: "cool-down", forMs: 1 }, null)).toEqual({ level: "info", words: "cool-down: done" });
  expect(recorded({ outcome: "committed", code: "OK", message: "it is right" })).toEqual({
    level: "info",
    words: "v2.3 is committed: it is right",
  });
});

test.each(["rolled-back", "rejected", "failed"] as const)(
  "a version that is %s is a warning with its cause",
  (outcome) => {
    expect(recorded({ outcome, code: "GOLDEN_MISMATCH", message: "two of ten are wrong" })).toEqual({
      level: "warn",
      words: `v2.3 is ${outcome}: GOLDEN_MISMATCH: two of ten are wrong`,
    });
  },
);

test("a step that did not do what it is for is a warning, the one that records an end too", () => {
  const mishap = { code: "DISK_FULL", message: "no space", nextStep: "", kind: "passing" } as const;
  expect(told({ do: "cool-down", forMs: 1 }, mishap)).toEqual({
    level: "warn",
    words: "cool-down: DISK_FULL: no space",
  });
});
