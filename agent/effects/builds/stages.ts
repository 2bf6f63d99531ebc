// Where a build is and since when, by a clock that does not jump: asked whenever somebody looks, told only when the stage changes.
import type { BuildProgress } from "@context-edge/protocol";
import { BUILD_BACKOFF, BUILD_TRIES } from "../../core/build-mishaps.ts";
import type { BuildOrder } from "../../core/candidate.ts";
import type { State } from "../../core/state.ts";

export interface Stages {
  /** @param stage in words, as a reader is told */
  enter(stage: string): void;
  now(): BuildProgress;
}

/**
 * @param estimateMs how long the last build of this recipe took here; null without one
 * @param moved somebody may want to be told
 */
export function stagesOf({ recipe }: BuildOrder, estimateMs: number | null, moved: () => void): Stages {
  const startedMs = performance.now();
  let stage = "starting";
  return {
    enter(next) {
      if (next === stage) return;
      stage = next;
      moved();
    },
    now: () => ({
      stage,
      elapsed_s: Math.floor((performance.now() - startedMs) / 1_000),
      estimate_s: estimateMs === null ? null : Math.round(estimateMs / 1_000),
      deadline_s: deadlineSeconds(recipe),
    }),
  };
}

/** All that a build may take before the device gives it up: every try, its load, and the pauses between them. */
export function deadlineSeconds({ deadline_minutes: minutes }: BuildOrder["recipe"]): number {
  return BUILD_TRIES * (minutes * 60 + 120) + (BUILD_TRIES - 1) * (BUILD_BACKOFF.maxMs / 1_000);
}

/** A build that has not begun, or that was begun before a restart; null when none is ahead. */
export function buildAhead({ journal: { transaction } }: Pick<State, "journal">): BuildProgress | null {
  if (transaction.stage !== "queued" && transaction.stage !== "building") return null;
  const { build } = transaction.attempt.candidate;
  if (!build) return null;
  return { stage: "waits for its turn", elapsed_s: null, estimate_s: null, deadline_s: deadlineSeconds(build.recipe) };
}
