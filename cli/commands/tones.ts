// Which words are good news, bad news, or worth a look.
import type { Tone } from "../output.ts";

const STATE_TONE: Record<string, Tone> = {
  finished: "good",
  running: "strong",
  soaking: "strong",
  "awaiting-approval": "warn",
  scheduled: "dim",
  draft: "dim",
  paused: "bad",
  aborted: "bad",
  "rolling-back": "bad",
  "rolled-back": "bad",
};
export const stateTone = (state: string): Tone => STATE_TONE[state] ?? "strong";

const SYNC_TONE: Record<string, Tone> = {
  "in-sync": "good",
  pending: "strong",
  failed: "bad",
  incompatible: "warn",
  held: "warn",
  unknown: "dim",
};
export const syncTone = (sync: string): Tone => SYNC_TONE[sync] ?? "strong";

const STAGE_TONE: Record<string, Tone> = {
  pending: "warn",
  approved: "good",
  rejected: "dim",
  archived: "dim",
  quarantined: "bad",
};
export const stageTone = (stage: string): Tone => STAGE_TONE[stage] ?? "strong";
