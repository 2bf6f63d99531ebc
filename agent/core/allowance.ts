// How long a step may take before it counts as stuck, far beyond the step's own deadlines: only what has really stopped is started again.
import type { ProbePolicy } from "@context-edge/protocol";
import type { StepMap, StepName, StepOf } from "./steps.ts";

/** What comes with every step: a journal, a link, a directory, on a disk that may be busy. */
export const SLACK_MS = 10 * 60_000;
/** Files are read whole to be hashed, and nobody says how large one is before it was looked at: 3.6 GB at 1 MB/s. */
export const READING_MS = 60 * 60_000;
/** The slowest disk that is waited for: a megabyte per second. */
const BYTES_PER_MS = 1_000;
/** What a manifest carries at the most; each sample may use up the time of one request. */
const GOLDEN_SAMPLES = 256;
/** A watch that begins anew because the service fell; the third fall ends it. */
const WATCHES = 3;

const readingMs = (bytes: number) => SLACK_MS + bytes / BYTES_PER_MS;

/** Warm-up and run both end by the window, at most one request late; then once more as much. */
function probingMs(policy: ProbePolicy): number {
  const { warmup_ms, window_ms, request_timeout_ms } = policy;
  return 2 * (warmup_ms + 2 * window_ms + 2 * request_timeout_ms) + GOLDEN_SAMPLES * request_timeout_ms;
}

/** `StepMap` without a row here does not compile: whoever adds a step says how long it may take. */
const ALLOWANCE: { [K in StepName]: (step: StepOf<K>) => number } = {
  begin: ({ candidate }) => readingMs(candidate.sizeBytes),
  // Until the next sign that bytes arrive: a long file over a bad link may take days.
  fetch: ({ candidate }) => readingMs(candidate.sizeBytes),
  verify: ({ candidate }) => readingMs(2 * candidate.sizeBytes),
  // Looks whether an engine from before is whole.
  "ask-build": ({ candidate }) => readingMs(8 * candidate.sizeBytes),
  // Ended at the recipe's deadline by itself; then the engine, which may be larger than its source, is hashed and put in place.
  build: ({ candidate }) =>
    readingMs(8 * candidate.sizeBytes) + (candidate.build?.recipe.deadline_minutes ?? 0) * 60_000,
  "ask-leave": () => SLACK_MS,
  "measure-baseline": ({ candidate }) => readingMs(2 * candidate.sizeBytes) + probingMs(candidate.policy),
  "link-backup": () => READING_MS,
  "link-current": () => READING_MS,
  reload: ({ budgetMs }) => SLACK_MS + 2 * budgetMs,
  examine: ({ subject }) => SLACK_MS + 2 * subject.readyWithinMs + probingMs(subject.policy),
  "cool-down": ({ forMs }) => SLACK_MS + forMs,
  soak: ({ forMs, policy }) => SLACK_MS + WATCHES * forMs + probingMs(policy),
  withdraw: () => SLACK_MS,
  decline: () => SLACK_MS,
  repair: () => SLACK_MS,
  "turn-back": () => SLACK_MS,
  obey: () => SLACK_MS,
  record: () => SLACK_MS,
  tidy: () => SLACK_MS,
};

/** @returns milliseconds, from the beginning of the step or its last sign of progress */
export function allowanceMs<K extends keyof StepMap>(step: StepOf<K>): number {
  return (ALLOWANCE[step.do] as (step: StepOf<K>) => number)(step);
}
