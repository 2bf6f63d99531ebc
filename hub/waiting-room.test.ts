// The waiting room alone: who is woken, when, in how large slices, and that nobody is forgotten in it.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openWaitingRoom } from "./waiting-room.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

const waiter = (deviceId: string, group: string, woken: string[]) => ({
  deviceId,
  group,
  wake: () => void woken.push(deviceId),
});

test("news for a group wakes those who wait in it, once, and nobody else", async () => {
  const room = openWaitingRoom();
  const woken: string[] = [];
  for (const id of ["a", "b"]) room.enter(waiter(id, "plant", woken), 60_000);
  room.enter(waiter("c", "office", woken), 60_000);
  await room.wakeGroup("plant");
  await room.wakeGroup("plant");
  expect(woken).toEqual(["a", "b"]);
  expect(room.held()).toBe(1);
});

test("a wait ends by itself between four fifths of what was asked and the whole, not all of them together", () => {
  const chances = [0, 0.5, 0.999];
  const room = openWaitingRoom(() => chances.shift() ?? 0);
  const woken: string[] = [];
  for (const id of ["first", "second", "third"]) room.enter(waiter(id, "plant", woken), 10_000);
  const seen: string[][] = [];
  for (const ms of [7_750, 250, 1_000, 750, 250]) {
    vi.advanceTimersByTime(ms);
    seen.push([...woken]);
  }
  expect(seen).toEqual([[], ["first"], ["first", "second"], ["first", "second"], ["first", "second", "third"]]);
  expect(room.held()).toBe(0);
  expect(vi.getTimerCount(), "an empty room needs no clock").toBe(0);
});

test("whoever hangs up is gone from every index, and leaving twice is no harm", async () => {
  const room = openWaitingRoom();
  const woken: string[] = [];
  const leaves = Array.from({ length: 1_000 }, (_, n) => room.enter(waiter(`d${n}`, `g${n % 7}`, woken), 30_000));
  expect(room.held()).toBe(1_000);
  for (const leave of [...leaves, ...leaves]) leave();
  expect(room.held()).toBe(0);
  for (let n = 0; n < 7; n += 1) await room.wakeGroup(`g${n}`);
  room.wakeDevice("d1");
  vi.advanceTimersByTime(31_000);
  expect(woken).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test("a device is woken alone, and only if it is meant", () => {
  const room = openWaitingRoom();
  const woken: string[] = [];
  for (const id of ["a", "b"]) room.enter(waiter(id, "plant", woken), 60_000);
  room.wakeDevice("a", () => false);
  expect(woken).toEqual([]);
  room.wakeDevice("a");
  expect(woken).toEqual(["a"]);
});

test("thousands are woken in slices between which other work gets its turn", async () => {
  const room = openWaitingRoom();
  let woken = 0;
  const busy = () => {
    const untilMs = performance.now() + 0.05;
    while (performance.now() < untilMs);
    woken += 1;
  };
  for (let n = 0; n < 1_000; n += 1) room.enter({ deviceId: `d${n}`, group: "plant", wake: busy }, 60_000);
  const turns: number[] = [];
  const turn = () => {
    turns.push(woken);
    if (woken < 1_000) setImmediate(turn);
  };
  setImmediate(turn);
  await room.wakeGroup("plant");
  expect(turns.length).toBeGreaterThan(5);
  const steps = turns.slice(1).map((count, at) => count - (turns[at] ?? 0));
  expect(Math.max(...steps)).toBeLessThan(200);
});
