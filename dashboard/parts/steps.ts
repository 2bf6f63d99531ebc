// The way of one attempt: which phases are behind it, which one it is in, and how it ended. Pure, so that it can be tested.
import type { Attempt, OutcomeReport, Phase } from "@context-edge/protocol";

export const WAY = ["downloading", "verifying", "activating", "probing", "soaking", "committed"] as const;
export type WayPoint = (typeof WAY)[number];
export type StepState = "done" | "now" | "ahead" | "failed";

/** Where an end that was not a commit happened, by its code; unknown ones end at the probe. */
const FAILED_AT: Record<string, WayPoint> = {
  SIZE_MISMATCH: "downloading",
  DIGEST_MISMATCH: "verifying",
  SIGNATURE_INVALID: "verifying",
  KEY_UNKNOWN: "verifying",
  ENGINE_WRAPPED: "verifying",
  ENGINE_VERSION_MISMATCH: "verifying",
  STATEMENT_UNPROVED: "verifying",
  RELEASE_BELOW_MINIMUM: "verifying",
  FILE_DAMAGED: "activating",
  RELOAD_FAILED: "activating",
  OUT_OF_GPU_MEMORY: "activating",
  ENGINE_NO_PLAN: "activating",
  ENGINE_WRONG_GPU: "activating",
  CRASH_LOOP: "activating",
  NOT_READY: "activating",
  SOAK_UNHEALTHY: "soaking",
};

export function stepsOf(attempt: Attempt | null, outcome: OutcomeReport | null): Record<WayPoint, StepState> {
  if (attempt) return underWay(attempt);
  if (!outcome) return statesUpTo(-1, "ahead");
  if (outcome.outcome === "committed") return statesUpTo(WAY.length, "done");
  const elsewhere = outcome.outcome === "rolled-back" ? "probing" : "downloading";
  const failedAt = FAILED_AT[outcome.code] ?? (outcome.code.startsWith("BUILD_") ? "verifying" : elsewhere);
  return statesUpTo(WAY.indexOf(failedAt), "failed");
}

function underWay({ phase, steps }: Attempt): Record<WayPoint, StepState> {
  if (phase === "rolling-back" || phase === "blocked") {
    const reached = steps.map((step) => step.phase).filter(isWayPoint);
    const last = reached.at(-1);
    return statesUpTo(last ? WAY.indexOf(last) : 0, "failed");
  }
  return statesUpTo(isWayPoint(phase) ? WAY.indexOf(phase) : -1, "now");
}

function isWayPoint(phase: Phase | WayPoint): phase is WayPoint & Phase {
  return (WAY as readonly string[]).includes(phase);
}

function statesUpTo(index: number, here: StepState): Record<WayPoint, StepState> {
  const stateAt = (position: number): StepState => (position < index ? "done" : position === index ? here : "ahead");
  return Object.fromEntries(WAY.map((point, position) => [point, stateAt(position)])) as Record<WayPoint, StepState>;
}
