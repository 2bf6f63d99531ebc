// The first words a reader gets: which tone and which sentence each state of a model leads to.
import { type Phase, ProbePolicy, type Trouble, type Waiting } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { type Disk, EMPTY_JOURNAL, type Journal, type Slot, type Swap, type Transaction } from "./state.ts";
import { newAttempt } from "./transitions.ts";
import { headlineOf, PHASE_WORDS, troubleOf, wishWords } from "./words.ts";

const slot = (version: string, letter: string): Slot => ({
  is: "file",
  file: `model-${version}.trt`,
  version,
  digest: letter.repeat(64),
  sizeBytes: 9,
  since: 1,
});
const candidate = {
  model: "default",
  version: "v2.2",
  digest: "b".repeat(64),
  sizeBytes: 9,
  format: "trt",
  release: 1,
  minimumRelease: 0,
  deploymentId: "d1",
  retry: 0,
  policy: ProbePolicy.parse({}),
};
const attempt = newAttempt(candidate, 1_000_000_000_000);
const swap: Swap = {
  file: "model-v2.2.trt",
  previous: { file: "model-v2.1.trt", version: "v2.1", digest: "a".repeat(64) },
  formerBackup: null,
  baseline: null,
  evidence: {},
};
const wrong: Trouble = { code: "X", message: "something is wrong", next_step: "Look." };
const blocked: Transaction = { stage: "blocked", trouble: wrong, checks: 0, notBefore: 0, reload: false };
const ready: Transaction = {
  stage: "waiting",
  attempt,
  file: "model-v2.2.trt",
  notBefore: 0,
  vetoes: 0,
  failures: 0,
  trouble: null,
};
const fetching: Transaction = { stage: "fetching", attempt, failures: 0, notBefore: 0, clean: false, trouble: null };
const examining: Transaction = { stage: "examining", attempt, swap, tries: 0, cooling: false };
const first: Transaction = { ...examining, swap: { ...swap, previous: null } };
const window: Waiting = { for: "window", until: null, message: "v2.2 is ready and waits for its maintenance window" };
const empty: Slot = { is: "empty" };
const damaged: Slot = { is: "broken", file: "model-v2.1.trt", why: "damaged" };

interface Case {
  transaction?: Transaction;
  current?: Slot;
  trouble?: Trouble;
  waiting?: Waiting;
}

test.each<[string, Case, string, string]>([
  ["at rest", {}, "good", "Healthy | Running v2.1 | Healthy."],
  [
    "a download leaves what runs alone",
    { transaction: fetching },
    "busy",
    "Downloading | Running v2.1 | Fetching v2.2; what runs is not touched.",
  ],
  [
    "a test names what comes back",
    { transaction: examining, current: slot("v2.2", "b") },
    "busy",
    "Testing | Trying v2.2 | v2.1 comes back by itself if it is wrong or too slow.",
  ],
  [
    "the first model has nothing to go back to",
    { transaction: first, current: slot("v2.2", "b") },
    "busy",
    "Testing | Trying v2.2 | It is taken away again if it is wrong or too slow.",
  ],
  [
    "soaking",
    { transaction: { stage: "soaking", attempt, swap }, current: slot("v2.2", "b") },
    "busy",
    "Watching | Trying v2.2 | Good so far. v2.1 comes back by itself if that changes.",
  ],
  [
    "ready, but outside the window",
    { transaction: ready, waiting: window },
    "waiting",
    "Waiting | Running v2.1 | Healthy. Nothing is changed for now.",
  ],
  [
    "held",
    { waiting: { ...window, for: "hold" } },
    "waiting",
    "On hold | Running v2.1 | Healthy. Nothing is changed for now.",
  ],
  [
    "blocked outranks all",
    { transaction: blocked, trouble: wrong, waiting: window },
    "bad",
    "Needs help | Running v2.1 | Not healthy: a person has to look.",
  ],
  [
    "a damaged file outranks waiting",
    { current: damaged, waiting: window },
    "bad",
    "Needs help | The running model's file is gone or damaged | Not healthy.",
  ],
  [
    "a problem outranks waiting",
    { trouble: wrong, waiting: window },
    "bad",
    "Needs help | Running v2.1 | Running, with a problem.",
  ],
  [
    "nothing installed",
    { current: empty },
    "quiet",
    "No model yet | No model is installed yet | It comes when the hub names one for this device.",
  ],
  [
    "nothing left after a failure",
    { current: empty, trouble: wrong },
    "bad",
    "Needs help | No model is installed yet | The inference service has nothing to run.",
  ],
])("%s", (_title, { transaction, current, trouble, waiting }, tone, said) => {
  const journal: Journal = { ...EMPTY_JOURNAL, transaction: transaction ?? EMPTY_JOURNAL.transaction };
  const disk: Disk = { current: current ?? slot("v2.1", "a"), backup: slot("v2.0", "c"), files: [] };
  const headline = headlineOf({ journal, disk, trouble: trouble ?? null, waiting: waiting ?? null });
  expect(headline.tone).toBe(tone);
  expect([headline.state, headline.text, headline.health].join(" | ")).toBe(said);
});

test("every phase has a word short enough to be read from two metres away", () => {
  for (const [phase, word] of Object.entries(PHASE_WORDS) as [Phase, string][]) {
    expect(word.length, phase).toBeLessThanOrEqual(12);
  }
});

test("a link that is not ours is told with what to do about it", () => {
  const disk: Disk = { current: { is: "foreign", why: "it is a folder" }, backup: empty, files: [] };
  expect(troubleOf(EMPTY_JOURNAL, disk)).toMatchObject({
    code: "SLOT_FOREIGN",
    message: expect.stringContaining("it is a folder"),
  });
});

test("the wish says when this device has refused what the hub wants", () => {
  const refusal = {
    digest: candidate.digest,
    code: "X",
    message: "m",
    retry: 0,
    deploymentId: "d1",
    kind: "quarantined",
  } as const;
  const disk: Disk = { current: slot("v2.1", "a"), backup: empty, files: [] };
  const wish = { is: "candidate", candidate } as const;
  expect(wishWords(wish, { ...EMPTY_JOURNAL, refusals: [refusal] }, disk)).toBe(
    "The hub wants v2.2 here, which this device has refused.",
  );
  expect(wishWords(wish, EMPTY_JOURNAL, { ...disk, current: slot("v2.2", "b") })).toBe(
    "This is what the hub wants here.",
  );
});
