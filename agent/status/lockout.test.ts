// Guessing a PIN: how many tries there are, how the locks grow, and that neither many addresses nor a jumping clock helps.
import { expect, test } from "vitest";
import { lockout, LOCKOUT_RULES, networkOf } from "./lockout.ts";

function clocked() {
  let now = 5_000;
  return {
    guard: lockout(() => now),
    pass: (ms: number) => {
      now += ms;
    },
  };
}
const MINUTE = 60_000;

test("five wrong tries lock for a minute, and each one after it for twice as long, up to an hour", () => {
  const { guard, pass } = clocked();
  for (let tries = 0; tries < 4; tries += 1) guard.wrong("10.0.0.1");
  expect(guard.lockedMs("10.0.0.1")).toBe(0);
  const locks: number[] = [];
  for (let tries = 0; tries < 8; tries += 1) {
    guard.wrong("10.0.0.1");
    locks.push(guard.lockedMs("10.0.0.1") / MINUTE);
    pass(guard.lockedMs("10.0.0.1"));
  }
  expect(locks).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  expect(guard.lockedMs("10.0.0.2")).toBe(0);
});

test("twenty wrong tries of many addresses lock everybody, so that addresses cannot be used up", () => {
  const { guard } = clocked();
  for (let host = 0; host < 19; host += 1) guard.wrong(`10.0.0.${host}`);
  expect(guard.lockedMs("10.9.9.9")).toBe(0);
  guard.wrong("10.0.1.1");
  expect(guard.lockedMs("10.9.9.9")).toBe(MINUTE);
});

test("a right PIN clears its own address, not the count of all", () => {
  const { guard } = clocked();
  for (let tries = 0; tries < 4; tries += 1) guard.wrong("10.0.0.1");
  guard.right("10.0.0.1");
  for (let tries = 0; tries < 4; tries += 1) guard.wrong("10.0.0.1");
  expect(guard.lockedMs("10.0.0.1")).toBe(0);
  for (let host = 0; host < 12; host += 1) guard.wrong(`10.0.1.${host}`);
  expect(guard.lockedMs("10.0.2.1")).toBe(MINUTE);
});

test("after a day without a wrong try the count begins anew", () => {
  const { guard, pass } = clocked();
  for (let tries = 0; tries < 6; tries += 1) guard.wrong("10.0.0.1");
  pass(LOCKOUT_RULES.forgetMs + 3 * MINUTE);
  guard.wrong("10.0.0.1");
  expect(guard.lockedMs("10.0.0.1")).toBe(0);
});

test("a guesser who never rests gets fewer than a thousand tries a month", () => {
  const { guard, pass } = clocked();
  let tries = 0;
  for (let hours = 0; hours < 30 * 24;) {
    const lockedMs = guard.lockedMs("10.0.0.1");
    if (lockedMs > 0) {
      pass(lockedMs);
      hours += lockedMs / 3_600_000;
      continue;
    }
    guard.wrong("10.0.0.1");
    tries += 1;
  }
  expect(tries).toBeLessThan(1_000);
});

test("memory stays bounded: the address that was quiet longest is forgotten first", () => {
  let now = 0;
  const rules = { ...LOCKOUT_RULES, addresses: 2, ofAll: 1_000 };
  const guard = lockout(() => now, rules);
  for (const host of ["a", "b", "a", "c"]) {
    for (let tries = 0; tries < 4; tries += 1) guard.wrong(host);
    now += 1;
  }
  guard.wrong("b");
  expect(guard.lockedMs("b")).toBe(0);
  guard.wrong("c");
  expect(guard.lockedMs("c")).toBe(MINUTE);
});

test.each([
  ["192.168.1.20", "192.168.1.20"],
  ["::ffff:192.168.1.20", "192.168.1.20"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:1:2::99", "2001:db8:1:2::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
])("%s counts as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
