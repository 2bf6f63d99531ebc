// How long a device may stay in a phase before its deployment stops waiting for it and counts it as failed.
import type { Deadlines, Phase } from "@context-edge/protocol";
import type { Member } from "./progress.ts";

/** Minutes. Generous: the agent has deadlines of its own and normally ends by them; these are for a device that cannot tell. */
const DEFAULT_MINUTES: Record<Phase, number> = {
  // Told, and not begun.
  idle: 60,
  downloading: 360,
  verifying: 30,
  activating: 30,
  probing: 30,
  soaking: 120,
  "rolling-back": 30,
  blocked: 60,
};

export interface Stay {
  phase: Phase;
  sinceMs: number;
}

/**
 * What is watched of one device: null when nothing is. A device that is away and had not begun is not late but offline;
 * one that is held, or waits for its window, is neither.
 */
export function phaseToWatch({ online, standing, turn }: Member): Phase | null {
  if (!turn || standing.sync !== "pending" || standing.waits) return null;
  if (standing.phase === "idle" && !online) return null;
  return standing.phase;
}

/** Carries on from the last look: the same phase keeps its beginning. */
export function nextStay(before: Stay | undefined, phase: Phase, nowMs: number): Stay {
  return before?.phase === phase ? before : { phase, sinceMs: nowMs };
}

export function isLate({ phase, sinceMs }: Stay, deadlines: Deadlines, nowMs: number): boolean {
  const minutes = deadlines[phase] ?? DEFAULT_MINUTES[phase];
  return nowMs - sinceMs > minutes * 60_000;
}
