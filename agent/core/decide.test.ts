// Decisions from plain states: what the agent does next, and above all what it leaves alone.
import { ProbePolicy } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { decide } from "./decide.ts";
import { type Candidate, type Disk, EMPTY_JOURNAL, type Journal, type Slot, type State, type Wish } from "./state.ts";
import { newAttempt } from "./transitions.ts";

const NOW = 1_000_000_000;
const policy = ProbePolicy.parse({});
const digestOf = (letter: string) => letter.repeat(64);
const slot = (version: string, letter: string): Slot => ({
  is: "file",
  file: `model-${version}.trt`,
  version,
  digest: digestOf(letter),
  sizeBytes: 9,
  since: 1,
});
const candidate: Candidate = {
  model: "default",
  version: "v2.1",
  digest: digestOf("b"),
  sizeBytes: 9,
  format: "trt",
  release: 1,
  minimumRelease: 0,
  deploymentId: "d1",
  retry: 0,
  policy,
};
const wish: Wish = { is: "candidate", candidate };
const old = slot("v2.0", "a");
const older = slot("v1.9", "9");

function state(
  more: { journal?: Partial<Journal>; disk?: Partial<Disk> } & Partial<Pick<State, "wish" | "permit" | "order">> = {},
): State {
  return {
    model: "default",
    journal: { ...EMPTY_JOURNAL, ...more.journal },
    disk: { current: old, backup: older, files: [], ...more.disk },
    wish: more.wish ?? wish,
    permit: more.permit ?? { is: "open" },
    order: more.order ?? null,
    jitter: 0.5,
    now: NOW,
  };
}
const refusal = {
  digest: candidate.digest,
  code: "X",
  message: "m",
  retry: 0,
  deploymentId: "d1",
  kind: "quarantined",
} as const;
const setback = { digest: candidate.digest, failures: 1, notBefore: NOW + 5_000 };
const attempt = newAttempt(candidate, NOW);
const fetching = {
  stage: "fetching",
  attempt,
  failures: 1,
  notBefore: NOW + 5_000,
  clean: false,
  trouble: null,
} as const;
const withPaused: Wish = { is: "nothing", why: "paused" };

test.each<[string, State, string]>([
  ["a wished version that is not there", state(), "begin"],
  ["a wished version that runs already", state({ disk: { current: slot("v2.1", "b") } }), "rest"],
  ["nothing wished", state({ wish: withPaused }), "rest"],
  ["a quarantined digest, already answered", state({ journal: { refusals: [refusal] } }), "rest"],
  [
    "a quarantined digest, asked by another deployment",
    state({ journal: { refusals: [{ ...refusal, deploymentId: "d0" }] } }),
    "decline",
  ],
  [
    "a quarantined digest, lifted by a larger retry",
    state({ journal: { refusals: [{ ...refusal, retry: -1 }] } }),
    "begin",
  ],
  [
    "a rejected digest, asked by another deployment",
    state({ journal: { refusals: [{ ...refusal, deploymentId: "d0", kind: "rejected" }] } }),
    "begin",
  ],
  ["a setback that is not over", state({ journal: { setback } }), "rest"],
  ["a setback of another digest", state({ journal: { setback: { ...setback, digest: digestOf("c") } } }), "begin"],
  ["a setback set by a clock far ahead", state({ journal: { setback: { ...setback, notBefore: NOW * 5 } } }), "begin"],
  [
    "a dangling current link with a backup",
    state({ disk: { current: { is: "broken", file: "model-v2.0.trt", why: "missing" } } }),
    "repair",
  ],
  ["a missing current link with a backup", state({ disk: { current: { is: "empty" } } }), "repair"],
  ["both links missing", state({ disk: { current: { is: "empty" }, backup: { is: "empty" } } }), "begin"],
  ["a current that is no link of ours", state({ disk: { current: { is: "foreign", why: "a file" } } }), "rest"],
  [
    "a download whose version is withdrawn",
    state({ journal: { transaction: fetching }, wish: withPaused }),
    "withdraw",
  ],
  ["a download waiting for its next try", state({ journal: { transaction: fetching } }), "rest"],
  ["a download whose wait is over", state({ journal: { transaction: { ...fetching, notBefore: NOW } } }), "fetch"],
])("%s is answered by the right step", (_what, given, step) => {
  expect(decide(given).do).toBe(step);
});

test("after the journal of a swap the backup is linked before the current link is touched", () => {
  const swap = {
    file: "model-v2.1.trt",
    previous: { file: "model-v2.0.trt", version: "v2.0", digest: digestOf("a") },
    formerBackup: "model-v1.9.trt",
    baseline: null,
    evidence: {},
  };
  const journal = { transaction: { stage: "activating", attempt, swap } as const };
  expect(decide(state({ journal }))).toEqual({
    do: "link-backup",
    file: "model-v2.0.trt",
    digest: digestOf("a"),
  });
  expect(decide(state({ journal, disk: { backup: old } }))).toEqual({
    do: "link-current",
    file: "model-v2.1.trt",
    digest: digestOf("b"),
  });
  expect(decide(state({ journal, disk: { backup: old, current: slot("v2.1", "b") } })).do).toBe("reload");
});

test("in mid-swap another wish changes nothing: the swap is finished first", () => {
  const swap = { file: "model-v2.1.trt", previous: null, formerBackup: null, baseline: null, evidence: {} };
  const journal = { transaction: { stage: "soaking", attempt, swap } as const };
  const disk = { current: slot("v2.1", "b") };
  expect(decide(state({ journal, disk, wish: withPaused })).do).toBe("soak");
});

test("a link changed by somebody else during the proof turns the swap back", () => {
  const swap = { file: "model-v2.1.trt", previous: null, formerBackup: null, baseline: null, evidence: {} };
  const journal = { transaction: { stage: "examining", attempt, swap, tries: 1, cooling: false } as const };
  expect(decide(state({ journal })).do).toBe("turn-back");
});

test("only files this agent published are tidied, and never one that a slot or the wish holds", () => {
  const entry = (letter: string) => ({ version: "v", digest: digestOf(letter), sizeBytes: 9 });
  const published = {
    "model-v2.0.trt": entry("a"),
    "model-v1.9.trt": entry("9"),
    "model-v1.8.trt": entry("8"),
    "model-v2.1.trt": entry("b"),
  };
  const files = [...Object.keys(published), "model-by-hand.trt"];
  expect(decide(state({ journal: { published }, disk: { files } }))).toMatchObject({
    do: "tidy",
    remove: ["model-v1.8.trt"],
  });
});

test("a blocked device takes a version it has not refused, and rests from one it has", () => {
  const trouble = { code: "X", message: "m", next_step: "" };
  const transaction = { stage: "blocked", trouble, checks: 0, notBefore: NOW + 1_000, reload: false } as const;
  expect(decide(state({ journal: { transaction } })).do).toBe("begin");
  expect(decide(state({ journal: { transaction, refusals: [refusal] } })).do).toBe("rest");
  expect(decide(state({ journal: { transaction: { ...transaction, notBefore: NOW }, refusals: [refusal] } })).do).toBe(
    "examine",
  );
});
