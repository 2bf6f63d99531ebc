// Clock, windows and veto: what decides when a device may change, with the clock in the test's hands.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { tempDir } from "../testing/temp-dir.ts";
import { deviceClock } from "./clock.ts";
import { openLocalOrders } from "./local-orders.ts";
import { turns } from "./turns.ts";
import { vetoHook } from "./veto.ts";
import { openWindows } from "./windows.ts";

const HOUR = 3_600_000;

describe("the clock", () => {
  test("fault 21: a machine that stands in 1970 counts on from the last signed time", () => {
    let monotonic = 5_000;
    const clock = deviceClock(
      () => monotonic,
      () => monotonic,
    );
    const signed = Date.UTC(2027, 3, 1);
    expect(clock.now()).toBeGreaterThan(Date.UTC(2026, 0, 1));
    clock.learn(signed);
    monotonic += 2 * HOUR;
    expect(clock.now()).toBe(signed + 2 * HOUR);
    expect(clock.isPlausible()).toBe(false);
  });

  test("an older document turns nothing back, and a right clock is believed", () => {
    const wall = Date.UTC(2027, 5, 1);
    const clock = deviceClock(
      () => wall,
      () => 0,
    );
    clock.learn(Date.UTC(2027, 4, 1));
    clock.learn(Date.UTC(2027, 3, 1));
    expect(clock.now()).toBe(wall);
    expect(clock.isPlausible()).toBe(true);
  });
});

describe("windows", () => {
  test("a window over midnight is open from 22:00 to 05:59 in its own time zone, summer and winter", async () => {
    const windows = await openWindows(["* 22-5 * * *"], "Europe/Berlin");
    const open = (utc: number) => windows?.isOpen(utc);
    expect(open(Date.UTC(2026, 0, 15, 20, 59))).toBe(false);
    expect(open(Date.UTC(2026, 0, 15, 21, 0))).toBe(true);
    expect(open(Date.UTC(2026, 0, 16, 4, 59, 59))).toBe(true);
    expect(open(Date.UTC(2026, 0, 16, 5, 0))).toBe(false);
    expect(open(Date.UTC(2026, 6, 15, 20, 0))).toBe(true);
  });

  test("the next opening is found across a weekend, and never when there is none within a week", async () => {
    const weekdays = await openWindows(["* 22-23 * * 1-5"], "UTC");
    const friday = Date.UTC(2026, 0, 16, 23, 59, 30);
    expect(weekdays?.opensAt(friday + 60_000)).toBe(Date.UTC(2026, 0, 19, 22));
    const never = await openWindows(["* * 29 2 *"], "UTC");
    expect(never?.opensAt(friday)).toBeNull();
  });

  test("any of several patterns opens, and no pattern means always", async () => {
    const windows = await openWindows(["* 1 * * *", "* 13 * * *"], "UTC");
    expect([1, 13, 14].map((hour) => windows?.isOpen(Date.UTC(2026, 0, 1, hour)))).toEqual([true, true, false]);
    expect(await openWindows([], "UTC")).toBeNull();
  });

  test.each([
    ["AGENT_WINDOWS", ["every night"], "UTC"],
    ["AGENT_WINDOWS", ["99 * * * *"], "UTC"],
    ["AGENT_TIME_ZONE", ["* 1 * * *"], "Middle/Earth"],
  ])("a wrong %s is refused by name", async (variable, patterns, zone) => {
    await expect(openWindows(patterns, zone)).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringContaining(variable),
    });
  });
});

describe("the veto hook", () => {
  const log = pino({ level: "silent" });
  const candidate = { model: "default", version: "v2", digest: "d" } as Parameters<ReturnType<typeof vetoHook>>[0];
  const signal = new AbortController().signal;
  const ask = (argv: string[] | undefined) => vetoHook({ argv, retryMs: 5, log })(candidate, "activate", signal);

  test("0 is go, 75 is later, and a hook that fails or is missing is later too", async () => {
    expect(await ask(undefined)).toEqual({ answer: "go" });
    expect(await ask(["true"])).toEqual({ answer: "go" });
    for (const argv of [["sh", "-c", "exit 75"], ["false"], ["/no/such/program"]]) {
      expect(await ask(argv)).toEqual({ answer: "later", retryMs: 5 });
    }
  });

  test("it learns which version is meant", async () => {
    const path = join(await tempDir(), "hook");
    await writeFile(path, '#!/bin/sh\n[ "$CONTEXT_EDGE_VERSION" = v2 ] || exit 75\n', { mode: 0o755 });
    expect(await ask([path])).toEqual({ answer: "go" });
  });
});

test("a hold and an order outlive the process, and each order has an id of its own", async () => {
  const path = join(await tempDir(), "orders.json");
  const orders = await openLocalOrders(path);
  await orders.setHold({ until: "2026-02-01T00:00:00.000Z", reason: "audit" });
  await orders.orderRollback("default");
  const again = await openLocalOrders(path);
  expect(again.hold()).toMatchObject({ reason: "audit" });
  expect(again.rollback("default")).toEqual(orders.rollback("default"));
  await again.orderRollback("default");
  expect(again.rollback("default")).not.toEqual(orders.rollback("default"));
});

test("turns are taken one after the other, and whoever gives up waiting holds up nobody", async () => {
  const turn = turns();
  const never = new AbortController();
  const endFirst = await turn.take(never.signal);
  const impatient = new AbortController();
  const second = turn.take(impatient.signal);
  const third = turn.take(never.signal);
  impatient.abort(new Error("enough"));
  await expect(second).rejects.toThrow("enough");
  let isThird = false;
  void third.then(() => (isThird = true));
  await Promise.resolve();
  expect(isThird).toBe(false);
  endFirst();
  (await third)();
});
