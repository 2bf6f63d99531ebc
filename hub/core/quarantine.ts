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

/** The newest word of one device about one digest. */
export interface Witness {
  device: string;
  /** When it said so, by its own clock. */
  at: string;
  against: boolean;
}

/** @param counted by device, the word that an earlier quarantine counted and that was lifted since: it says nothing new */
export const freshWords = <T extends Witness>(
  witnesses: readonly T[],
  counted: Readonly<Record<string, string>>,
): T[] => witnesses.filter(({ device, at }) => counted[device] !== at);

/** @param witnesses devices that ended an attempt with this digest in any way */
export function isEnough(witnesses: readonly Witness[], limit: Limit): boolean {
  const against = witnesses.filter((one) => one.against).length;
  // One device alone never condemns a file for all, whatever share of the fleet it is.
  if (against < 2) return "count" in limit && limit.count === 1 && against === 1;
  return "count" in limit ? against >= limit.count : against >= limit.share * witnesses.length;
}
