// Verified, and then altered on the disk before it is switched to: what was verified is what runs, or nothing is switched.
import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeModel } from "./testing/fake-model.ts";
import { type TestBench, testBench } from "./testing/test-bench.ts";

const older = fakeModel({ version: "v1.9" });
const old = fakeModel({ version: "v2.0" });
const good = fakeModel({ version: "v2.1" });
const wrong = fakeModel({ version: "v2.3", factor: 3 });
/** Healthy, and never signed. */
const evil = fakeModel({ version: "v6.6" });

let bench: TestBench;
beforeEach(async () => {
  bench = await testBench();
});
afterEach(() => bench.close());

async function install(...models: (typeof old)[]): Promise<void> {
  for (const model of models) {
    await bench.offer(model);
    await bench.live();
  }
}
/** Dies just before the n-th step of a rollout, as a device that is switched off. */
const untilStep = (at: number) => bench.live({ at, how: "killed before" });
const inModels = (version: string) => join(bench.dir, `model-${version}.onnx`);

const DAMAGE: Record<string, (path: string) => Promise<void>> = {
  "other bytes, written in place": async (path) => {
    await chmod(path, 0o644);
    await writeFile(path, evil.bytes);
  },
  "a file that is gone": (path) => rm(path),
};
const HOWS = Object.keys(DAMAGE);
const damage = (version: string, how: string) => DAMAGE[how]?.(inModels(version));
const endings = async () =>
  (await bench.outcomes()).map(({ version, outcome, code }) => `${version} ${outcome} ${code}`);

test.each(HOWS.flatMap((how) => [4, 5].map((step) => ({ how, step }))))(
  "verify one digest, install another: $how, before step $step, is not switched to, and is fetched again",
  async ({ how, step }) => {
    await install(old);
    await bench.offer(good);
    await untilStep(step);
    await damage("v2.1", how);
    const steps = await bench.live();
    expect(steps.indexOf("link-current")).toBeGreaterThan(steps.lastIndexOf("verify"));
    expect(await endings()).toEqual(["v2.0 committed OK", "v2.1 failed FILE_DAMAGED", "v2.1 committed OK"]);
    expect(await bench.current()).toBe(good.digest);
    expect(bench.served()).toBe(good.digest);
  },
);

test.each(HOWS.flatMap((how) => [6, 7].map((step) => ({ how, step }))))(
  "verify one digest, install another: $how, before step $step, when the swap has begun, leads back at once",
  async ({ how, step }) => {
    await install(old);
    await bench.offer(good);
    await untilStep(step);
    await damage("v2.1", how);
    await bench.live();
    expect(await endings()).toEqual(["v2.0 committed OK", "v2.1 rolled-back FILE_DAMAGED"]);
    expect(await bench.current()).toBe(old.digest);
    expect(bench.served()).toBe(old.digest);
    expect(bench.stage()).toBe("resting");
  },
);

test.each(HOWS)(
  "the backup of old, damaged during a swap (%s), does not keep a wrong version in place",
  async (how) => {
    await install(older, old);
    await bench.offer(wrong);
    await untilStep(9);
    expect(bench.served()).toBe(wrong.digest);
    await damage("v1.9", how);
    await bench.live();
    expect((await endings()).at(-1)).toBe("v2.3 rolled-back GOLDEN_MISMATCH");
    expect(await bench.current()).toBe(old.digest);
    expect(bench.served()).toBe(old.digest);
  },
);

test("the old model itself, damaged during a swap that fails: told and stopped, in a bounded number of steps", async () => {
  await install(old);
  await bench.offer(wrong);
  await untilStep(9);
  await damage("v2.0", "other bytes, written in place");
  const steps = await bench.live();
  expect((await endings()).at(-1)).toBe("v2.3 rolled-back GOLDEN_MISMATCH");
  expect(bench.stage()).toBe("blocked");
  expect(await bench.current()).toBe(wrong.digest);
  expect(steps.filter((step) => step === "link-current")).toHaveLength(1);
  // Another version is the way out.
  await install(good);
  expect(bench.stage()).toBe("resting");
  expect(bench.served()).toBe(good.digest);
});
