// Holds and windows: what they stop, what they let through, and what a reader is told meanwhile.
import { ProbePolicy } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { advance } from "./advance.ts";
import { decide } from "./decide.ts";
import { holdInForce, type Permit, permitOf, waitingOf } from "./permit.ts";
import { type Candidate, EMPTY_JOURNAL, type Journal, type Slot, type State } from "./state.ts";
import { newAttempt } from "./transitions.ts";

const NOW = Date.UTC(2026, 0, 15, 12);
const at = (ms: number) => new Date(ms).toISOString();
const slot = (version: string, letter: string): Slot => ({
  is: "file",
  file: `model-${version}.trt`,
  version,
  digest: letter.repeat(64),
  sizeBytes: 9,
  since: 1,
});
const candidate: Candidate = {
  model: "default",
  version: "v2.1",
  digest: "b".repeat(64),
  sizeBytes: 9,
  format: "trt",
  release: 1,
  minimumRelease: 0,
  deploymentId: "d1",
  retry: 7,
  policy: ProbePolicy.parse({}),
};
const held: Permit = { is: "held", hold: { by: "device", until: at(NOW + 3_600_000), reason: "shift change" } };
const closed: Permit = { is: "outside-window", until: NOW + 7_200_000 };
const attempt = newAttempt(candidate, NOW);
const waiting: Journal["transaction"] = {
  stage: "waiting",
  attempt,
  file: "model-v2.1.trt",
  notBefore: 0,
  vetoes: 0,
  failures: 0,
  trouble: null,
};

function state(more: Partial<Omit<State, "journal">> & { journal?: Partial<Journal> } = {}): State {
  return {
    model: "default",
    disk: { current: slot("v2.0", "a"), backup: slot("v1.9", "9"), files: [] },
    wish: { is: "candidate", candidate },
    permit: { is: "open" },
    order: null,
    jitter: 0.5,
    now: NOW,
    ...more,
    journal: { ...EMPTY_JOURNAL, ...more.journal },
  };
}

test("fault 55: a held device begins nothing, and comes back when the hold ends", () => {
  expect(decide(state({ permit: held }))).toEqual({ do: "rest", until: NOW + 3_600_000 });
});

test("outside its window a device fetches all the same", () => {
  expect(decide(state({ permit: closed }))).toMatchObject({ do: "begin" });
});

test.each([
  ["held", held, NOW + 3_600_000],
  ["outside its window", closed, NOW + 7_200_000],
])("a version that is ready is not activated while the device is %s", (_, permit, until) => {
  expect(decide(state({ permit, journal: { transaction: waiting } }))).toEqual({ do: "rest", until });
});

test("a hold set a moment before the switch still stops it, and what was fetched stays", () => {
  const transaction = { stage: "measuring", attempt, file: "model-v2.1.trt" } as const;
  expect(decide(state({ permit: held, journal: { transaction } }))).toMatchObject({ do: "withdraw" });
});

test("once it may, the device itself is asked; later means later, go means the baseline", () => {
  const asked = state({ journal: { transaction: waiting } });
  const step = decide(asked);
  expect(step).toMatchObject({ do: "ask-leave" });
  if (step.do !== "ask-leave") throw new Error("not asked");
  const later = advance(asked, { step, result: { ok: true, answer: "later", retryMs: 60_000 } });
  expect(later.transaction).toMatchObject({ stage: "waiting", vetoes: 1, notBefore: NOW + 60_000 });
  expect(decide(state({ journal: later }))).toEqual({ do: "rest", until: NOW + 60_000 });
  expect(advance(asked, { step, result: { ok: true, answer: "go" } }).transaction).toMatchObject({
    stage: "measuring",
  });
});

test("fault 49: while the way to the service is missing nothing is switched; the device waits, tells why, and asks again", () => {
  const asked = state({ journal: { transaction: waiting } });
  const mishap = {
    code: "RELOADER_UNREACHABLE",
    message: "nothing was switched: the cluster does not answer",
    nextStep: "Check it.",
    kind: "passing",
  } as const;
  const first = advance(asked, { step: { do: "ask-leave", candidate }, result: { ok: false, mishap } });
  expect(first.transaction).toMatchObject({ stage: "waiting", failures: 1, trouble: { code: "RELOADER_UNREACHABLE" } });
  const later = state({ journal: first });
  expect(decide(later)).toMatchObject({ do: "rest" });
  expect(waitingOf(later)).toMatchObject({ for: "retry", message: expect.stringContaining("does not answer") });
  const again = advance(
    { ...later, now: NOW + 60_000 },
    { step: { do: "ask-leave", candidate }, result: { ok: true, answer: "go" } },
  );
  expect(again.transaction).toMatchObject({ stage: "measuring" });
});

test("restarts during a long wait are not held against the version", () => {
  const transaction = { ...waiting, attempt: { ...attempt, resumptions: 40 } };
  const asked = state({ journal: { transaction } });
  const gone = advance(asked, { step: { do: "ask-leave", candidate }, result: { ok: true, answer: "go" } });
  expect(gone.transaction).toMatchObject({ stage: "measuring", attempt: { resumptions: 0 } });
});

test("the hold that ends last is in force, and one that ended is none", () => {
  const early = { until: at(NOW + 1_000), reason: "early" };
  const late = { until: at(NOW + 9_000), reason: "late" };
  expect(holdInForce(early, late, NOW)).toEqual({ ...late, by: "device" });
  expect(holdInForce(late, early, NOW)).toEqual({ ...late, by: "hub" });
  expect(holdInForce(early, null, NOW + 1_000)).toBeNull();
});

test("without windows a device is always open; a hold outranks an open window", () => {
  const windows = { isOpen: () => false, opensAt: () => NOW + 5 };
  expect(permitOf(null, null, NOW)).toEqual({ is: "open" });
  expect(permitOf(null, windows, NOW)).toEqual({ is: "outside-window", until: NOW + 5 });
  expect(permitOf({ by: "hub", until: at(NOW + 1), reason: "" }, null, NOW)).toMatchObject({ is: "held" });
});

test.each<[string, State, object | null]>([
  [
    "a device that runs what it should",
    state({ disk: { ...state().disk, current: slot("v2.1", "b") }, permit: held }),
    null,
  ],
  ["a held device", state({ permit: held }), { for: "hold", until: at(NOW + 3_600_000) }],
  [
    "a fetched version outside the window",
    state({ permit: closed, journal: { transaction: waiting } }),
    { for: "window" },
  ],
  [
    "a busy device",
    state({ journal: { transaction: { ...waiting, vetoes: 3, notBefore: NOW + 60_000 } } }),
    { for: "veto", until: at(NOW + 60_000) },
  ],
  [
    "a version that failed for a passing reason",
    state({ journal: { setback: { digest: candidate.digest, failures: 1, notBefore: NOW + 30_000 } } }),
    { for: "retry", until: at(NOW + 30_000) },
  ],
  ["a device outside its window with nothing fetched yet", state({ permit: closed }), null],
])("%s is told as it is", (_, seen, expected) => {
  const told = waitingOf(seen);
  if (expected === null) expect(told).toBeNull();
  else expect(told).toMatchObject(expected);
});

test("an order of the person at the device is a rollback that the hub hears of, and is carried out once", () => {
  const current = slot("v2.1", "b");
  const before = state({ order: { id: "o1" }, permit: held, disk: { current, backup: slot("v2.0", "a"), files: [] } });
  const step = decide(before);
  expect(step).toEqual({ do: "obey", order: { id: "o1" } });
  if (step.do !== "obey") throw new Error("not obeyed");
  const journal = advance(before, { step, result: { ok: true } });
  expect(journal.transaction).toMatchObject({
    stage: "restoring",
    attempt: { candidate: { version: "v2.1", deploymentId: "d1", retry: 7 } },
    swap: { previous: { version: "v2.0" }, formerBackup: null },
    verdict: { outcome: "rolled-back", code: "ROLLED_BACK_BY_HAND", refuse: true },
  });
  const after = state({ order: { id: "o1" }, journal: { ...journal, transaction: { stage: "resting" } } });
  expect(decide(after)).not.toMatchObject({ do: "obey" });
});

test("an order without a backup changes nothing and is not asked again", () => {
  const before = state({
    order: { id: "o1" },
    disk: { current: slot("v2.0", "a"), backup: { is: "empty" }, files: [] },
  });
  const journal = advance(before, { step: { do: "obey", order: { id: "o1" } }, result: { ok: true } });
  expect(journal).toEqual({ ...before.journal, handledOrder: "o1" });
});

test("an order ends a download first", () => {
  const fetching = { stage: "fetching", attempt, failures: 0, notBefore: 0, clean: false, trouble: null } as const;
  expect(decide(state({ order: { id: "o1" }, journal: { transaction: fetching } }))).toMatchObject({ do: "withdraw" });
});
