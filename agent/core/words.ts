// The plain words of the agent: sentences for reports and for the page a field tech reads on the device.
import type { Phase, Trouble, Waiting } from "@context-edge/protocol";
import { isMadeOf } from "./built.ts";
import { findRefusal } from "./refusal.ts";
import type { Disk, FileRef, Journal, Slot, State, Swap, Wish } from "./state.ts";
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

/** A phase in one or two words: large on the page, and as a step of an attempt. */
export const PHASE_WORDS: Record<Phase, string> = {
  idle: "At rest",
  downloading: "Downloading",
  verifying: "Checking",
  activating: "Switching",
  probing: "Testing",
  soaking: "Watching",
  "rolling-back": "Going back",
  blocked: "Stopped",
};

export const TONES = ["bad", "busy", "waiting", "quiet", "good"] as const;
/** How a state looks from two metres away; the gravest first. */
export type Tone = (typeof TONES)[number];

export interface Headline {
  tone: Tone;
  /** One to three words, to be read from two metres away: "Healthy", "On hold". */
  state: string;
  /** "Running v2.1", without the time, which the reader's clock formats. */
  text: string;
  /** One or two sentences. */
  health: string;
}

export interface Seen extends Pick<State, "journal" | "disk"> {
  trouble: Trouble | null;
  waiting: Waiting | null;
}

/** What a reader is told first of one model. */
export function headlineOf({ journal, disk, trouble, waiting }: Seen): Headline {
  const { transaction } = journal;
  const { current } = disk;
  const text = current.is === "file" ? `Running ${current.version}` : SLOT_WORDS[current.is];
  const needsHelp = { tone: "bad", state: "Needs help", text } as const;
  if (transaction.stage === "blocked") return { ...needsHelp, health: "Not healthy: a person has to look." };
  if ("attempt" in transaction && !waiting) return busyHeadline(transaction, disk);
  if (current.is === "broken" || current.is === "foreign") return { ...needsHelp, health: "Not healthy." };
  if (trouble) {
    const health = current.is === "file" ? "Running, with a problem." : "The inference service has nothing to run.";
    return { ...needsHelp, health };
  }
  if (waiting) return { tone: "waiting", state: WAITING_WORDS[waiting.for], text, health: waitingHealth(disk) };
  if (current.is === "empty") {
    return { tone: "quiet", state: "No model yet", text, health: "It comes when the hub names one for this device." };
  }
  return { tone: "good", state: "Healthy", text, health: "Healthy." };
}

type UnderWay = Extract<State["journal"]["transaction"], { attempt: unknown }>;

function busyHeadline(transaction: UnderWay, disk: Disk): Headline {
  const phase = phaseOf(transaction);
  const { version } = transaction.attempt.candidate;
  const before = "swap" in transaction ? transaction.swap.previous?.version : versionIn(disk.current);
  const running = before === undefined ? SLOT_WORDS.empty : `Running ${before}`;
  const way = { tone: "busy", state: PHASE_WORDS[phase] } as const;
  const safety = before === undefined ? "It is taken away again" : `${before} comes back by itself`;
  switch (phase) {
    case "downloading":
      return { ...way, text: running, health: `Fetching ${version}; what runs is not touched.` };
    case "verifying":
      return transaction.stage === "building"
        ? {
            ...way,
            state: "Building",
            text: running,
            health: `The engine of ${version} is built here; what runs is not touched.`,
          }
        : { ...way, text: running, health: `Checking ${version} before anything is changed.` };
    case "activating":
      return { ...way, text: `Switching to ${version}`, health: "The inference service loads it now." };
    case "probing":
      return { ...way, text: `Trying ${version}`, health: `${safety} if it is wrong or too slow.` };
    case "soaking":
      return { ...way, text: `Trying ${version}`, health: `Good so far. ${safety} if that changes.` };
    case "rolling-back":
      return {
        ...way,
        text: `Going back${before === undefined ? "" : ` to ${before}`}`,
        health: `${version} did not prove itself.`,
      };
    case "idle":
    case "blocked":
      return { ...way, text: running, health: "" };
  }
}

function waitingHealth({ current }: Disk): string {
  return current.is === "file" ? "Healthy. Nothing is changed for now." : "Nothing is changed for now.";
}

function versionIn(slot: Slot): string | undefined {
  return slot.is === "file" ? slot.version : undefined;
}

const WAITING_WORDS: Record<Waiting["for"], string> = {
  hold: "On hold",
  window: "Waiting",
  veto: "Waiting",
  retry: "Trying again soon",
};

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
      const { version } = wish.candidate;
      if (disk.current.is === "file" && isMadeOf(disk.current, wish.candidate))
        return "This is what the hub wants here.";
      const isRefused = findRefusal(refusals, wish.candidate) !== undefined;
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
