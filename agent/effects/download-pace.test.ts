// The bandwidth cap and the minimum rate, each alone.
import { expect, onTestFinished, test } from "vitest";
import { downloadLine } from "./download-line.ts";
import { pace } from "./download-pace.ts";
import { watchRate } from "./download-watch.ts";

test("what is spent is waited for, by everyone who shares the cap, and nothing is saved up while idle", () => {
  const capped = pace(1_000);
  expect(capped.spend(500, 0)).toBe(500);
  expect(capped.spend(500, 100)).toBe(900);
  // An hour of silence buys no burst.
  expect(capped.spend(1_000, 3_600_000)).toBe(1_000);
});

test("without a cap nobody waits", () => {
  expect(pace(null).spend(1e12, 0)).toBe(0);
});

test("a cap below the floor lowers the floor, and keeps little between socket and disk", () => {
  const line = downloadLine({ environment: {}, maxBytesPerS: 200, minBytesPerS: 256 });
  expect(line.floor.bytesPerS).toBe(100);
  expect(line.queueBytes).toBe(16 * 1024);
  expect(downloadLine({ environment: {}, minBytesPerS: 256 }).floor.bytesPerS).toBe(256);
});

test("a stalled link is given up although nothing ever happens on it", async () => {
  const gaveUp = await new Promise<boolean>((resolve) => {
    const watch = watchRate({ bytesPerS: 1, windowMs: 50 }, () => resolve(true));
    onTestFinished(() => watch.stop());
    void watch.waiting(new Promise(() => undefined));
  });
  expect(gaveUp).toBe(true);
});

test("time in which nobody waited for the link is not held against it", async () => {
  const reasons: string[] = [];
  const lazy = watchRate({ bytesPerS: 1_000_000, windowMs: 10 }, () => reasons.push("lazy disk"));
  const busy = new Promise<void>((resolve) => {
    const watch = watchRate({ bytesPerS: 1_000_000, windowMs: 60 }, () => {
      reasons.push("slow link");
      resolve();
    });
    onTestFinished(() => watch.stop());
    void watch.waiting(new Promise(() => undefined));
  });
  await busy;
  lazy.stop();
  expect(reasons).toEqual(["slow link"]);
});
