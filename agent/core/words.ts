// The plain words of the agent: sentences for reports and for the page a field tech reads on the device.
import type { OutcomeReport, Phase, Trouble } from "@context-edge/protocol";
import type { Disk, FileRef, Journal, Slot, Swap, Wish } from "./state.ts";
import { phaseOf } from "./state.ts";
import { ms } from "./health.ts";
import type { Judgement } from "./steps.ts";

export function committedWords(version: string, swap: Swap, soakMs: number): string {
  const measured = swap.evidence.candidate;
  const from = swap.baseline?.p95_ms ? ` (${swap.previous?.version ?? "before"}: ${ms(swap.baseline.p95_ms)})` : "";
  const timing = measured?.p95_ms != null ? `, p95 ${ms(measured.p95_ms)}${from}` : "";
  return `${version} runs and stayed healthy for ${Math.round(soakMs / 1_000)} s${timing}`;
}

export function blockedTrouble(previous: FileRef | null, judgement: Judgement): Trouble {
  return {
    code: "OLD_MODEL_UNHEALTHY",
    message: `the swap was undone, but ${previous?.version ?? "the old model"} is not healthy either: ${judgement.message}`,
    next_step:
      "Look at the inference service on the device. The agent swaps nothing until it is healthy or another version is deployed.",
  };
}

/** What a reader is told first: the phase of the agent. */
export const PHASE_WORDS: Record<Phase, string> = {
  idle: "Nothing is being installed.",
  downloading: "Downloading",
  verifying: "Checking the file and timing the running model before",
  activating: "Switching to",
  probing: "Testing",
  soaking: "Watching",
  "rolling-back": "Going back from",
  blocked: "Stopped: a person has to look at this device.",
};

export interface Headline {
  tone: "good" | "busy" | "bad" | "quiet";
  /** "Running v2.1", without the time, which the reader's clock formats. */
  text: string;
  health: string;
}

export function headlineOf(journal: Journal, disk: Disk, trouble: Trouble | null): Headline {
  const phase = phaseOf(journal.transaction);
  const { current } = disk;
  const text = current.is === "file" ? `Running ${current.version}` : SLOT_WORDS[current.is];
  if (phase === "blocked" || current.is === "broken" || current.is === "foreign") {
    return { tone: "bad", text, health: "Not healthy." };
  }
  if (phase !== "idle" && "attempt" in journal.transaction) {
    const { version } = journal.transaction.attempt.candidate;
    return { tone: "busy", text, health: `${PHASE_WORDS[phase]} ${version}.` };
  }
  if (current.is === "empty") return { tone: "quiet", text, health: "" };
  return trouble
    ? { tone: "bad", text, health: "Running, with a problem." }
    : { tone: "good", text, health: "Healthy." };
}

const SLOT_WORDS: Record<Exclude<Slot["is"], "file">, string> = {
  empty: "No model is installed yet",
  broken: "The running model's file is gone or damaged",
  foreign: "The model link is not one of ours",
};

/** What is wrong with one model, if anything, from state alone. */
export function troubleOf(journal: Journal, disk: Disk): Trouble | null {
  const { transaction, lastOutcome } = journal;
  if (transaction.stage === "blocked") return transaction.trouble;
  if (disk.current.is === "foreign" || disk.backup.is === "foreign") {
    const why = disk.current.is === "foreign" ? disk.current.why : disk.backup.is === "foreign" ? disk.backup.why : "";
    return {
      code: "SLOT_FOREIGN",
      message: `the agent will not touch a slot it does not understand: ${why}`,
      next_step: "Move the file to model-<version>.<format> and let the link point to that name.",
    };
  }
  if (disk.current.is === "broken") {
    return {
      code: disk.current.why === "missing" ? "CURRENT_MISSING" : "CURRENT_DAMAGED",
      message: `the running file ${disk.current.file} is ${disk.current.why}`,
      next_step: "The agent puts the backup back, or fetches the wanted version again.",
    };
  }
  const isWithoutModel = disk.current.is === "empty" && transaction.stage === "resting";
  if (isWithoutModel && lastOutcome?.outcome === "rolled-back") {
    return {
      code: "NOTHING_TO_FALL_BACK",
      message: `${lastOutcome.version} failed and there was nothing to fall back to: ${lastOutcome.message}`,
      next_step: "Deploy a version that works on this device.",
    };
  }
  return null;
}

/** The wish, as the page says it. */
export function wishWords(wish: Wish, { refusals }: Journal, disk: Disk): string {
  switch (wish.is) {
    case "candidate": {
      const { version, digest } = wish.candidate;
      if (disk.current.is === "file" && disk.current.digest === digest) return "This is what the hub wants here.";
      const isRefused = refusals.some((refusal) => refusal.digest === digest);
      return `The hub wants ${version} here${isRefused ? ", which this device has refused" : ""}.`;
    }
    case "impossible":
      return `The hub wants ${wish.candidate.version} here, but ${wish.conclusion.message}.`;
    case "nothing":
      return NOTHING_WORDS[wish.why];
  }
}

const NOTHING_WORDS: Record<Extract<Wish, { is: "nothing" }>["why"], string> = {
  "no-manifest": "The hub has not said yet what should run here.",
  "not-named": "The hub asks for no version of this model here.",
  paused: "The rollout is paused; this device stays as it is.",
  "outside-wave": "A rollout has begun, but not for this device yet.",
  expired: "The hub's last word is too old to install from; what runs goes on running.",
};

export const OUTCOME_WORDS: Record<OutcomeReport["outcome"], string> = {
  committed: "Installed",
  "rolled-back": "Tried and undone",
  rejected: "Refused before it ran",
  failed: "Could not be installed",
};
