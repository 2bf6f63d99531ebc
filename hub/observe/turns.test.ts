// Turns: how many work at once, how long others wait, and what the event loop has to itself in between.
import { setImmediate as round } from "node:timers/promises";
import { expect, test } from "vitest";
import { takeTurns } from "./turns.ts";

const LIMITS = { atOnce: 2, mostWaiting: 3, patienceMs: 60_000 };

test("one begins at once, the next in a later round, and no more at a time than may", async () => {
  const turns = takeTurns(LIMITS);
  const first = await turns.take();
  expect(first).toBeTypeOf("function");
  const begun: string[] = [];
  const others = ["second", "third", "fourth"].map(async (name) => {
    const done = await turns.take();
    begun.push(name);
    return done;
  });
  await Promise.resolve();
  expect(begun).toEqual([]);
  const second = await others[0];
  expect([begun, turns.waiting()]).toEqual([["second"], 2]);
  await round();
  await round();
  expect(begun, "two are under way").toEqual(["second"]);
  second?.();
  second?.();
  await others[1];
  await round();
  await round();
  expect([begun, turns.waiting()], "one ended, though it said so twice").toEqual([["second", "third"], 1]);
  first?.();
  await others[2];
  expect(turns.waiting()).toBe(0);
});

test("who comes when too many wait is turned away at once, and who waits for too long in the end", async () => {
  const turns = takeTurns({ atOnce: 1, mostWaiting: 2, patienceMs: 40 });
  await turns.take();
  const waiting = [turns.take(), turns.take()];
  expect(await turns.take()).toBeNull();
  expect(await Promise.all(waiting)).toEqual([null, null]);
  expect(turns.waiting()).toBe(0);
});

test("after one that took long, devices have as long if they need it, and no time is wasted if they do not", async () => {
  const roundsUntilNext = async (busyMs: number) => {
    let nowMs = 0;
    const turns = takeTurns(LIMITS, () => nowMs);
    const first = await turns.take();
    const next = turns.take();
    nowMs += 100;
    first?.();
    let rounds = 0;
    for (; turns.waiting() > 0 && rounds < 1_000; rounds += 1) {
      await round();
      nowMs += busyMs;
    }
    await next;
    return rounds;
  };
  const busy = await roundsUntilNext(1);
  expect(busy).toBeGreaterThan(90);
  expect(busy).toBeLessThan(120);
  expect(await roundsUntilNext(0)).toBeLessThan(10);
});

test("an idle queue goes no rounds", async () => {
  let looks = 0;
  const turns = takeTurns(LIMITS, () => (looks += 1));
  for (let count = 0; count < 2; count += 1) {
    const done = await turns.take();
    done?.();
    await round();
  }
  const before = looks;
  for (let count = 0; count < 20; count += 1) await round();
  expect(looks).toBe(before);
});
