// The stepper of one attempt: under way, at its end, and after an end that was not a commit.
import { describe, expect, test } from "vitest";
import { anAttempt, anOutcome } from "../testing/fixtures.ts";
import { stepsOf, WAY } from "./steps.ts";

const shown = (...args: Parameters<typeof stepsOf>) => {
  const steps = stepsOf(...args);
  return WAY.map((point) => steps[point]).join(" ");
};

describe("under way", () => {
  test.each([
    ["downloading", "now ahead ahead ahead ahead ahead"],
    ["verifying", "done now ahead ahead ahead ahead"],
    ["activating", "done done now ahead ahead ahead"],
    ["probing", "done done done now ahead ahead"],
    ["soaking", "done done done done now ahead"],
  ] as const)("in %s, everything before is done, also what went by too fast to be seen", (phase, words) => {
    expect(shown(anAttempt("v2.1", [phase]), null)).toBe(words);
  });

  test("going back shows where it went wrong, not that it is done", () => {
    const attempt = anAttempt("v2.2", ["downloading", "verifying", "activating", "probing", "rolling-back"]);
    expect(shown(attempt, null)).toBe("done done done failed ahead ahead");
  });

  test("blocked stays at the last step that was reached", () => {
    expect(shown(anAttempt("v2.2", ["downloading", "activating", "blocked"]), null)).toBe(
      "done done failed ahead ahead ahead",
    );
  });

  test("a new attempt is shown, not the outcome of the last one", () => {
    expect(shown(anAttempt("v2.1", ["downloading"]), anOutcome())).toBe("now ahead ahead ahead ahead ahead");
  });
});

describe("at the end", () => {
  test("a commit has done every step", () => {
    expect(shown(null, anOutcome())).toBe("done done done done done done");
  });
  test.each([
    ["rejected", "SIZE_MISMATCH", "failed ahead ahead ahead ahead ahead"],
    ["rejected", "DIGEST_MISMATCH", "done failed ahead ahead ahead ahead"],
    ["rejected", "BUILD_TIMEOUT", "done failed ahead ahead ahead ahead"],
    ["rolled-back", "NOT_READY", "done done failed ahead ahead ahead"],
    ["rolled-back", "LATENCY_OVER_BASELINE", "done done done failed ahead ahead"],
    ["rolled-back", "GOLDEN_MISMATCH", "done done done failed ahead ahead"],
    ["rolled-back", "SOAK_UNHEALTHY", "done done done done failed ahead"],
    ["rolled-back", "A_CODE_OF_A_LATER_AGENT", "done done done failed ahead ahead"],
    ["failed", "DISK_FULL", "failed ahead ahead ahead ahead ahead"],
  ] as const)("%s with %s failed where that happens", (outcome, code, words) => {
    expect(shown(null, anOutcome({ outcome, code }))).toBe(words);
  });
  test("nothing was tried: nothing is claimed", () => {
    expect(shown(null, null)).toBe("ahead ahead ahead ahead ahead ahead");
  });
});
