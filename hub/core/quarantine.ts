// When enough devices have rolled the same bytes back for their health, nobody may install them any more.
import type { OutcomeReport } from "@context-edge/protocol";

/** So many devices, or such a share of those that tried. */
export type Limit = { count: number } | { share: number };

/** Ends that tell of the device, the moment or a person, and nothing of the file. */
const NOT_THE_FILES_FAULT: ReadonlySet<string> = new Set([
  "INCONCLUSIVE",
  "INTERRUPTED",
  "POWER_MODE_CHANGED",
  "RELOADER_UNREACHABLE",
  "ROLLED_BACK_BY_HAND",
  "SLOT_CHANGED",
  "SLOT_FOREIGN",
  "THROTTLED",
  "TOO_FEW_SAMPLES",
  "WITHDRAWN",
]);

export const speaksAgainstTheFile = ({ outcome, code }: Pick<OutcomeReport, "outcome" | "code">) =>
  outcome === "rolled-back" && !NOT_THE_FILES_FAULT.has(code);

export interface Witness {
  device: string;
  outcome: OutcomeReport;
}

/** By digest, the newest word of each device that had it: for it, against it, or neither. */
export interface Testimony {
  against: Witness[];
  /** Devices that ended an attempt with this digest in any way. */
  tried: number;
}

/** @param counted by device, the outcome that an earlier quarantine counted and that was lifted since: it says nothing new */
export function testimonyOf(witnesses: readonly Witness[], counted: Readonly<Record<string, string>>): Testimony {
  const fresh = witnesses.filter(({ device, outcome }) => counted[device] !== outcome.at);
  return { against: fresh.filter(({ outcome }) => speaksAgainstTheFile(outcome)), tried: fresh.length };
}

export function isEnough({ against, tried }: Testimony, limit: Limit): boolean {
  // One device alone never condemns a file for all, whatever share of the fleet it is.
  if (against.length < 2) return "count" in limit && limit.count === 1 && against.length === 1;
  return "count" in limit ? against.length >= limit.count : against.length >= limit.share * tried;
}
