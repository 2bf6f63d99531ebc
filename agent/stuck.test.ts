// A step that never ends is found out, whoever waits for another is not: the loop on a worker made of air, by a clock that is given.
import { ProbePolicy } from "@context-edge/protocol";
import { expect, test } from "vitest";
import { allowanceMs, READING_MS } from "./core/allowance.ts";
import { type Candidate, EMPTY_JOURNAL, type State } from "./core/state.ts";
import type { Performers, StepName } from "./core/steps.ts";
import { newAttempt } from "./core/transitions.ts";
import { turns } from "./effects/turns.ts";
import { vitals } from "./effects/vitals.ts";
import { settle } from "./loop.ts";
import type { Worker } from "./worker.ts";

const candidate: Candidate = {
  model: "default",
  version: "v2.1",
  digest: "b".repeat(64),
  sizeBytes: 9,
  format: "trt",
  release: 1,
  minimumRelease: 0,
  deploymentId: "d1",
  retry: 0,
  policy: ProbePolicy.parse({}),
};
const offered: State = {
  model: "default",
  journal: EMPTY_JOURNAL,
  disk: { current: { is: "empty" }, backup: { is: "empty" }, files: [] },
  wish: { is: "candidate", candidate },
  permit: { is: "open" },
  order: null,
  jitter: 0.5,
  now: 1_000_000_000,
};
const attempt = newAttempt(candidate, offered.now);
const verified: State = {
  ...offered,
  journal: { ...EMPTY_JOURNAL, transaction: { stage: "measuring", attempt, file: "model-v2.1.trt" } },
};

/** Its steps never end; only what the loop uses is there. */
function hanging(state: State): { worker: Worker; begun: Promise<StepName> } {
  const { promise, resolve } = Promise.withResolvers<StepName>();
  const perform = new Proxy({} as Performers, {
    get: (_, name) => () => {
      resolve(name as StepName);
      return new Promise<never>(() => undefined);
    },
  });
  const worker = { model: "default", perform, observe: () => Promise.resolve(state) } as unknown as Worker;
  return { worker, begun: promise };
}

function around(now: () => number, turn = turns()) {
  const signs = vitals(now);
  const asked = Promise.withResolvers<void>();
  const surroundings = {
    stop: new AbortController().signal,
    following: () => new AbortController().signal,
    moved: () => undefined,
    jitter: () => 0.5,
    stalls: 0,
    turn,
    quiet: turns(),
    about(doing: { what: string; withinMs: number } | null) {
      if (doing) signs.expect("it", doing.what, doing.withinMs);
      else signs.release("it");
      if (doing === null) asked.resolve();
    },
  };
  return { signs, surroundings, hasAskedForTurn: asked.promise };
}

test("a step that never ends stands still once its own time is over, and not before", async () => {
  let now = 0;
  const { signs, surroundings } = around(() => now);
  const { worker, begun } = hanging(offered);
  void settle(worker, surroundings);
  expect(await begun).toBe("begin");
  now = allowanceMs({ do: "begin", candidate, warrant: "offer" });
  expect(signs.stuck()).toBeNull();
  now += 1;
  expect(signs.stuck()).toContain('"begin"');
});

test("a model that waits for another's soak is not stuck, however long that takes", async () => {
  let now = 0;
  const turn = turns();
  const end = await turn.take(new AbortController().signal);
  const { signs, surroundings, hasAskedForTurn } = around(() => now, turn);
  const { worker, begun } = hanging(verified);
  void settle(worker, surroundings);
  await hasAskedForTurn;
  now = 100 * READING_MS;
  expect(signs.stuck()).toBeNull();
  end();
  expect(await begun).toBe("measure-baseline");
});
