// The heart: observe, decide, perform, record; again until there is nothing to do.
import { nextDelayMs } from "./core/backoff.ts";
import { advance } from "./core/advance.ts";
import { decide } from "./core/decide.ts";
import type { Stage, State } from "./core/state.ts";
import { type Finding, IS_BEFORE_SWAP, type Mishap, type Result, type Step, type StepName } from "./core/steps.ts";
import type { Turns } from "./effects/turns.ts";
import { mishapOf } from "./errors.ts";
import type { Worker } from "./worker.ts";

export interface Surroundings {
  /** Stops everything; the journal is always such that the next start recovers. */
  stop: AbortSignal;
  /** Aborts when the manifest no longer asks for this candidate; only heeded before the swap. */
  following(state: State): AbortSignal;
  moved(state: State, step: Step, mishap: Mishap | null): void;
  jitter(): number;
  /** Whose turn it is to touch what runs. */
  turn: Turns;
  /** Who may load the GPU or is being timed: never two at once. */
  quiet: Turns;
  /** Consecutive cycles of this worker that ended without moving. */
  stalls: number;
}

const STALL_BACKOFF = { minMs: 1_000, maxMs: 5 * 60_000 };

/** @returns when to come back, in milliseconds from now; null: when something changes. */
export async function settle(worker: Worker, around: Surroundings): Promise<number | null> {
  const turns = heldTurns(around);
  try {
    return await untilRest(worker, around, turns);
  } finally {
    turns.end();
  }
}

async function untilRest(worker: Worker, around: Surroundings, turns: HeldTurns): Promise<number | null> {
  let before: Step | null = null;
  for (;;) {
    const state = await worker.observe();
    const step = decide(state);
    if (step.do === "rest") return step.until === null ? null : Math.max(0, step.until - state.now);
    // Whoever had to wait for it looks again: minutes may have passed.
    if (await turns.areNewFor(state.journal.transaction.stage)) continue;

    const finding = await perform(worker, state, step, around);
    if (finding === "followed") continue;
    const journal = advance(state, finding);
    if (journal !== state.journal) await worker.save(journal);

    const mishap = finding.result.ok ? null : finding.result.mishap;
    around.moved(state, step, mishap);
    // Nothing moved: not the journal, and not the disk, or the same step would not come up twice.
    const isStalled = journal === state.journal && (mishap !== null || isSameStep(before, step));
    if (isStalled) return nextDelayMs(around.stalls + 1, STALL_BACKOFF, around.jitter());
    before = step;
  }
}

/** From the baseline to the end of the soak or of the way back. */
const TOUCHES_WHAT_RUNS: ReadonlySet<Stage> = new Set([
  "measuring",
  "activating",
  "examining",
  "soaking",
  "restoring",
  "reviewing",
]);

/** A build beside a probe would make it slow. The way back of another model waits for neither. */
const NEEDS_QUIET: ReadonlySet<Stage> = new Set(["building", "measuring", "activating", "examining", "soaking"]);

interface HeldTurns {
  /** Takes the turns this stage needs and gives back the others. @returns whether one was taken just now */
  areNewFor(stage: Stage): Promise<boolean>;
  end(): void;
}

/** Quiet is always taken first, and never by whoever holds the turn alone: no two can wait for each other. */
function heldTurns({ turn, quiet, stop }: Surroundings): HeldTurns {
  const held = [
    { of: quiet, stages: NEEDS_QUIET, end: null as (() => void) | null },
    { of: turn, stages: TOUCHES_WHAT_RUNS, end: null as (() => void) | null },
  ];
  return {
    async areNewFor(stage) {
      for (const one of held.filter(({ stages }) => !stages.has(stage))) {
        one.end?.();
        one.end = null;
      }
      const missing = held.filter(({ stages, end }) => stages.has(stage) && !end);
      for (const one of missing) one.end = await one.of.take(stop);
      return missing.length > 0;
    },
    end() {
      for (const one of held) one.end?.();
    },
  };
}

async function perform(worker: Worker, state: State, step: Step, around: Surroundings): Promise<Finding | "followed"> {
  const following = IS_BEFORE_SWAP[step.do] ? around.following(state) : null;
  const signal = following ? AbortSignal.any([around.stop, following]) : around.stop;
  const act = worker.perform[step.do] as (step: Step, signal: AbortSignal) => Promise<Result<StepName>>;
  try {
    signal.throwIfAborted();
    return { step, result: await act(step, signal) } as Finding;
  } catch (error) {
    around.stop.throwIfAborted();
    if (following?.aborted === true) return "followed";
    return { step, result: { ok: false, mishap: mishapOf(error) } } as Finding;
  }
}

function isSameStep(before: Step | null, step: Step): boolean {
  return before !== null && JSON.stringify(before) === JSON.stringify(step);
}
