// How far a deployment has come: every device in exactly one bin, and those that cannot answer never hold it open.
import type { Phase, Progress } from "@context-edge/protocol";
import type { Standing } from "./sync.ts";

export interface Member {
  id: string;
  online: boolean;
  standing: Standing;
  /** Its group has been reached, and its wave. */
  turn: boolean;
  /** The phase whose deadline it let pass. */
  timedOut: Phase | null;
}

type Bin = Exclude<keyof Progress, "total">;
/** Of devices that are there and have let no deadline pass. */
export type OpenBin = Extract<Bin, "held" | "pending" | "moving">;

export const NO_PROGRESS: Progress = {
  total: 0,
  committed: 0,
  moving: 0,
  pending: 0,
  rolled_back: 0,
  failed: 0,
  incompatible: 0,
  held: 0,
  offline: 0,
  waiting: 0,
};

export function progressOf(members: readonly Member[]): Progress {
  const progress = { ...NO_PROGRESS, total: members.length };
  for (const member of members) progress[binOf(member)] += 1;
  return progress;
}

export function binOf({ online, standing, turn, timedOut }: Member): Bin {
  const settled = settledBinOf(standing, turn);
  if (settled) return settled;
  if (timedOut) return "failed";
  return online ? openBinOf(standing) : "offline";
}

/**
 * The bin of a device for which it does not matter whether it is there and whether it is late. An end that was reported stays
 * counted when the device goes away afterwards; only the undecided become `offline`.
 */
export function settledBinOf({ sync, outcome, runsTarget }: Standing, turn: boolean): Exclude<Bin, OpenBin> | null {
  if (runsTarget && sync === "in-sync") return "committed";
  if (!turn) return "waiting";
  if (sync === "incompatible") return "incompatible";
  if (sync === "failed") return outcome?.outcome === "rolled-back" ? "rolled_back" : "failed";
  return null;
}

export function openBinOf({ sync, phase, waits }: Standing): OpenBin {
  if (sync === "held" || waits) return "held";
  return phase === "idle" ? "pending" : "moving";
}

/** Devices the deployment still waits for. */
export const isUnderWay = (progress: Progress) => progress.pending + progress.moving > 0;

/** Devices that got the version and did not keep it. */
export const badEnds = (progress: Progress) => progress.rolled_back + progress.failed;

/** Devices whose turn it is and that could run the version now. */
export const reachable = ({ total, offline, incompatible, held, waiting }: Progress) =>
  total - offline - incompatible - held - waiting;
