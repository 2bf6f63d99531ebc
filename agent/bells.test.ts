// Nobody sleeps through news: not a loop that was not there yet, and not a step that is no longer asked for.
import { expect, test } from "vitest";
import { bells } from "./bells.ts";
import type { Wish } from "./core/state.ts";
import { EMPTY_JOURNAL, type State } from "./core/state.ts";
import type { Worker } from "./worker.ts";

const never = new AbortController().signal;
const DAY_MS = 86_400_000;

test("a loop that begins after the ring hears it all the same", async () => {
  const ring = bells();
  ring.ring();
  await ring.of("default").heard(DAY_MS, never);
  await ring.any.heard(DAY_MS, never);
});

test("each model hears the same ring, once", async () => {
  const ring = bells();
  const [first, second] = [ring.of("default"), ring.of("vision")];
  ring.ring();
  await Promise.all([first.heard(DAY_MS, never), second.heard(DAY_MS, never)]);
  let isHeardAgain = false;
  void first.heard(DAY_MS, never).then(() => (isHeardAgain = true));
  await Promise.resolve();
  expect(isHeardAgain).toBe(false);
});

test("a step goes on while its candidate is asked for, and is broken off when it is not, or when a person orders otherwise", () => {
  const asked = (digest: string): Wish => ({ is: "candidate", candidate: { digest } as never });
  const state = { journal: EMPTY_JOURNAL, wish: asked("a"), order: null } as unknown as State;
  let latest: Pick<State, "wish" | "order" | "journal"> = state;
  const worker = { model: "default", latest: () => latest } as unknown as Worker;
  const ring = bells();

  const first = ring.following(state, worker);
  ring.ring();
  expect(first.aborted).toBe(false);
  latest = { ...state, wish: asked("b") };
  ring.ring();
  expect(first.aborted).toBe(true);

  latest = state;
  const second = ring.following(state, worker);
  latest = { ...state, order: { id: "o1" } };
  ring.ring();
  expect(second.aborted).toBe(true);
});
