// Decisions and consequences about builds: when one may begin, what its failures lead to, and what a reader is told meanwhile.
import { BuildRecipe, ProbePolicy, recipeDigest } from "@context-edge/protocol";
import { describe, expect, test } from "vitest";
import { advance } from "./advance.ts";
import { BUILD_BACKOFF, BUILD_TRIES } from "./build-mishaps.ts";
import { decide } from "./decide.ts";
import { headlineOf } from "./words.ts";
import { mayBuild, type Permit, permitOf, waitingOf } from "./permit.ts";
import { resume } from "./resume.ts";
import { type Candidate, EMPTY_JOURNAL, type In, type State } from "./state.ts";
import type { Mishap } from "./steps.ts";
import { newAttempt } from "./transitions.ts";

const NOW = Date.parse("2026-06-01T00:00:00Z");
const recipe = BuildRecipe.parse({ precision: ["fp16"] });
const build = { recipe, recipeDigest: recipeDigest(recipe), tensorrt: "10.3.0", sm: "8.7" };
const candidate: Candidate = {
  model: "default",
  version: "v2.1",
  digest: "b".repeat(64),
  sizeBytes: 9,
  format: "onnx",
  build,
  release: 1,
  minimumRelease: 0,
  deploymentId: "d1",
  retry: 0,
  policy: ProbePolicy.parse({}),
};
const attempt = newAttempt(candidate, NOW);
const source = "model-v2.1.onnx";
const queued: In<"queued"> = {
  stage: "queued",
  attempt,
  source,
  notBefore: 0,
  vetoes: 0,
  failures: 0,
  spent: { failed: 0, interrupted: 0 },
  trouble: null,
};
const building: In<"building"> = { stage: "building", attempt, source, failures: 0, spent: queued.spent };
const old = {
  is: "file",
  file: "model-v2.0.trt",
  version: "v2.0",
  digest: "a".repeat(64),
  sizeBytes: 9,
  since: 1,
} as const;

const state = (transaction: State["journal"]["transaction"], more: Partial<State> = {}): State => ({
  model: "default",
  journal: { ...EMPTY_JOURNAL, transaction },
  disk: { current: old, backup: { is: "empty" }, files: [] },
  wish: { is: "candidate", candidate },
  permit: { is: "open" },
  order: null,
  jitter: 0.5,
  now: NOW,
  ...more,
});
const closed: Permit = { is: "outside-window", until: NOW + 1_000 };
const held: Permit = { is: "held", hold: { by: "hub", until: "2026-06-01T01:00:00Z", reason: "audit" } };

describe("a build begins", () => {
  test.each<[string, State, string]>([
    ["where nothing speaks against it", state(queued), "ask-build"],
    ["not outside the window", state(queued, { permit: closed }), "rest"],
    [
      "outside the window where the operator says so",
      state(queued, { permit: { ...closed, builds: true } }),
      "ask-build",
    ],
    ["not in a hold", state(queued, { permit: held }), "rest"],
    ["not before a failed one was waited for", state({ ...queued, notBefore: NOW + 5_000 }), "rest"],
    ["not for what is no longer wished", state(queued, { wish: { is: "nothing", why: "paused" } }), "withdraw"],
    [
      "not for the TensorRT there was before",
      state(queued, {
        wish: { is: "candidate", candidate: { ...candidate, build: { ...build, tensorrt: "10.16.2" } } },
      }),
      "withdraw",
    ],
    ["not before a person's order is carried out", state(queued, { order: { id: "o1" } }), "withdraw"],
    ["once it was allowed", state(building), "build"],
  ])("%s", (_what, given, step) => {
    expect(decide(given).do).toBe(step);
  });

  test("a hold is one for builds too, whatever the operator lets outside the window", () => {
    const windows = { isOpen: () => false, opensAt: () => NOW + 9 };
    expect(mayBuild(permitOf(null, windows, NOW, true))).toBe(true);
    expect(mayBuild(permitOf(null, windows, NOW))).toBe(false);
    expect(mayBuild(permitOf(held.is === "held" ? held.hold : null, windows, NOW, true))).toBe(false);
  });
});

describe("a failure", () => {
  const mishap = (more: Partial<Mishap>): Mishap => ({
    code: "X",
    message: "m",
    nextStep: "n",
    kind: "passing",
    ...more,
  });
  const after = (transaction: In<"queued"> | In<"building">, more: Partial<Mishap>) => {
    const step =
      transaction.stage === "queued"
        ? ({ do: "ask-build", candidate, source } as const)
        : ({ do: "build", candidate, source } as const);
    return advance(state(transaction), { step, result: { ok: false, mishap: mishap(more) } } as never).transaction;
  };

  test("of a build is waited for and tried once more, then the version is rejected", () => {
    const first = after(building, { code: "BUILD_OUT_OF_MEMORY", spent: true });
    expect(first).toMatchObject({
      stage: "queued",
      failures: 1,
      spent: { failed: 1 },
      notBefore: NOW + BUILD_BACKOFF.minMs * 0.75,
      trouble: { code: "BUILD_OUT_OF_MEMORY" },
    });
    const again = { ...building, spent: { failed: BUILD_TRIES - 1, interrupted: 0 } };
    expect(after(again, { code: "BUILD_OUT_OF_MEMORY", spent: true })).toMatchObject({
      stage: "concluding",
      conclusion: { outcome: "rejected", code: "BUILD_OUT_OF_MEMORY", refuse: true },
    });
  });

  test("that will come again ends the attempt at once", () => {
    expect(after(building, { kind: "permanent" })).toMatchObject({ conclusion: { outcome: "rejected", refuse: true } });
  });

  test("before a build costs none, and is told in the end without refusing the version", () => {
    expect(after({ ...queued, failures: 3 }, { code: "DISK_FULL" })).toMatchObject({ stage: "queued", failures: 4 });
    expect(after({ ...queued, failures: 7 }, { code: "DISK_FULL" })).toMatchObject({
      conclusion: { outcome: "failed", code: "DISK_FULL", refuse: false },
    });
  });

  test("of the file it is built from fetches the file anew", () => {
    expect(after(building, { code: "FILE_DAMAGED" })).toMatchObject({ stage: "fetching", clean: true });
  });
});

test("a restart in the middle asks for leave anew; the fourth one gives the version up", () => {
  const journal = (interrupted: number) => ({
    ...EMPTY_JOURNAL,
    transaction: { ...building, spent: { failed: 1, interrupted } },
  });
  expect(resume(journal(0), NOW).transaction).toMatchObject({ stage: "queued", spent: { failed: 1, interrupted: 1 } });
  expect(resume(journal(3), NOW).transaction).toMatchObject({
    stage: "concluding",
    conclusion: { outcome: "rejected", code: "INTERRUPTED" },
  });
  // Waiting for days is no failing, however often the agent is restarted.
  const waits = { ...EMPTY_JOURNAL, transaction: { ...queued, attempt: { ...attempt, resumptions: 99 } } };
  expect(resume(waits, NOW).transaction.stage).toBe("queued");
});

describe("a reader is told", () => {
  test.each<[string, State, string | null]>([
    [
      "of the window",
      state(queued, { permit: closed }),
      "v2.1 is fetched, and its engine is built when the maintenance window opens",
    ],
    ["of the hold", state(queued, { permit: held }), "An engineer holds this device as it is: audit"],
    [
      "of the device's no",
      state({ ...queued, vetoes: 2, notBefore: NOW + 1 }),
      "v2.1 is fetched, and its engine has yet to be built, but the device said it is busy (asked 2 times)",
    ],
    [
      "of the failure that is waited for",
      state({ ...queued, trouble: { code: "X", message: "memory ran out", next_step: "" } }),
      "the engine of v2.1 is not built yet: memory ran out",
    ],
    ["of nothing while it is built", state(building), null],
  ])("%s", (_what, given, message) => {
    expect(waitingOf(given)?.message ?? null).toBe(message);
  });

  test("on the page that the engine is built and what runs is not touched", () => {
    const { journal, disk } = state(building);
    expect(headlineOf({ journal, disk, trouble: null, waiting: null })).toEqual({
      tone: "busy",
      state: "Building",
      text: "Running v2.0",
      health: "The engine of v2.1 is built here; what runs is not touched.",
    });
  });
});
