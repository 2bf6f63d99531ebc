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

/** Counted from look to look, so that neither a clock that jumps nor a hub that slept makes anybody late. */
export interface Stay {
  phase: Phase;
  waitedMs: number;
}

/** More than this between two looks was no waiting for a device, but a hub that slept, was away, or had its clock set. */
const LONGEST_LOOK_MS = 60_000;

/**
 * What is watched of one device: null when nothing is. A device that is away and had not begun is not late but offline;
 * one that is held, or waits for its window, is neither. One that is there and never says what it runs is late like any other.
 */
export function phaseToWatch({ online, standing, turn }: Member): Phase | null {
  const { sync, waits, phase } = standing;
  if (!turn || waits || (sync !== "pending" && sync !== "unknown")) return null;
  if (phase === "idle" && !online) return null;
  return phase;
}

/** @param sinceLookMs since the look before this one. */
export function nextStay(before: Stay | undefined, phase: Phase, sinceLookMs: number): Stay {
  if (before?.phase !== phase) return { phase, waitedMs: 0 };
  return { phase, waitedMs: before.waitedMs + Math.min(Math.max(0, sinceLookMs), LONGEST_LOOK_MS) };
}

/** @param moreMs what a build may take beside: the device ends it by a deadline of its own, which was signed with the version */
export function isLate({ phase, waitedMs }: Stay, deadlines: Deadlines, moreMs = 0): boolean {
  return waitedMs > minutesFor(phase, deadlines) * 60_000 + moreMs;
}

export const minutesFor = (phase: Phase, deadlines: Deadlines) => deadlines[phase] ?? DEFAULT_MINUTES[phase];
