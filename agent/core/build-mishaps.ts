// What a failed build leads to: another try later, the file once more, or the end of the attempt. What runs is never touched by it.
import { ATTEMPT_BACKOFF, nextDelayMs } from "./backoff.ts";
import { end, troubleFrom } from "./ends.ts";
import type { Conclusion, In, Journal, State } from "./state.ts";
import type { Mishap } from "./steps.ts";
import { concluding, enter } from "./transitions.ts";

/** A build takes minutes of the GPU from what runs beside it: no version may have more of them than this. */
export const BUILD_TRIES = 2;
/** Power cuts and restarts in the middle of a build; more of them are the build's doing. */
const INTERRUPTIONS = 3;
/** Between two builds: memory may be free again by then, or the device cooler. */
export const BUILD_BACKOFF = { minMs: 2 * 60_000, maxMs: ATTEMPT_BACKOFF.maxMs };
/** Failures in a row before any build began: no space, no program. The device goes on trying, more slowly. */
const FAILURES_TOLD = 8;

export function afterBuildMishap(
  state: State,
  { attempt, source, failures: before, spent: spentBefore }: In<"queued"> | In<"building">,
  mishap: Mishap,
): Journal {
  // The file it is built from rots on this disk, not at the hub.
  if (mishap.code === "FILE_DAMAGED") {
    const clean = { failures: 0, notBefore: 0, clean: true, trouble: troubleFrom(mishap) };
    return enter(state.journal, { stage: "fetching", attempt, ...clean }, state.now);
  }
  const isSpent = mishap.spent === true;
  const spent = { ...spentBefore, failed: spentBefore.failed + (isSpent ? 1 : 0) };
  const failures = before + 1;
  if (mishap.kind === "permanent" || failures >= FAILURES_TOLD) return end(state, attempt, mishap);
  if (spent.failed >= BUILD_TRIES) return end(state, attempt, { ...mishap, kind: "permanent" });
  const delayMs = nextDelayMs(failures, isSpent ? BUILD_BACKOFF : ATTEMPT_BACKOFF, state.jitter);
  const trouble = troubleFrom(mishap);
  const notBefore = state.now + delayMs;
  return enter(
    state.journal,
    { stage: "queued", attempt, source, notBefore, vetoes: 0, failures, spent, trouble },
    state.now,
  );
}

/** After a restart in the middle of a build: window, leave and space are asked for again, but not for ever. */
export function resumeBuild(state: State, { attempt, source, failures, spent: before }: In<"building">): Journal {
  const spent = { ...before, interrupted: before.interrupted + 1 };
  // A device that goes down under its builds would build for ever if this were only a setback.
  if (spent.interrupted > INTERRUPTIONS) return concluding(state, attempt, INTERRUPTED);
  const fresh = { notBefore: 0, vetoes: 0, trouble: null };
  return enter(state.journal, { stage: "queued", attempt, source, failures, spent, ...fresh }, state.now);
}

const INTERRUPTED: Conclusion = {
  outcome: "rejected",
  code: "INTERRUPTED",
  message: "the agent or the device was restarted again and again while the engine of this version was being built",
  nextStep: "Find out why the device restarts under load (power, memory, heat, watchdog), then retry the deployment.",
  evidence: {},
  refuse: true,
};
