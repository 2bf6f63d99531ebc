// Releases that may not come back: the release key says which, and a device remembers it of what proved itself here.
import type { Candidate, Conclusion, Journal } from "./state.ts";

type Minimum = Journal["minimumRelease"];

/** Only what was committed counts: whatever a swap puts at stake must have its way back. */
export function raisedMinimum(
  { minimumRelease: before }: Pick<Journal, "minimumRelease">,
  { minimumRelease: release, version }: Pick<Candidate, "minimumRelease" | "version">,
): Minimum {
  return release > (before?.release ?? 0) ? { release, version } : before;
}

/** @returns why this release is not installed any more; null when it may be. */
export function belowMinimum(
  journal: Pick<Journal, "minimumRelease">,
  candidate: Pick<Candidate, "release" | "minimumRelease" | "version">,
): Conclusion | null {
  // A statement that forbids itself is refused like any other.
  const least = raisedMinimum(journal, candidate);
  if (!least || candidate.release >= least.release) return null;
  return {
    outcome: "rejected",
    code: "RELEASE_BELOW_MINIMUM",
    message: `${candidate.version} is release ${candidate.release}; ${least.version} allows nothing below ${least.release} any more`,
    nextStep:
      "Deploy a later release. If this one must come back, have it signed anew under a higher number. If nobody ordered it, check the hub.",
    evidence: {},
    refuse: true,
  };
}
